// Ends with 0 if the router is ready, else with 1: `node healthcheck.mjs [url]`. Without a URL it asks the router
// of its own container, at the admin port if ADMIN_LISTEN_ADDR names one, else where LISTEN_ADDR says that it listens.
import { get } from 'node:http';

const { ADMIN_LISTEN_ADDR, LISTEN_ADDR } = process.env;
const address = ADMIN_LISTEN_ADDR?.trim() || LISTEN_ADDR?.trim() || '0.0.0.0:8080';
const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(address) ?? [];
const here = { '0.0.0.0': '127.0.0.1', '[::]': '[::1]' }[host] ?? host;
const url = process.argv[2] ?? `http://${here}:${port}/readyz`;

// An agent of its own, so that no proxy of the environment comes between.
const request = get(url, { agent: false, signal: AbortSignal.timeout(2_500) }, (response) => {
  response.resume();
  process.exitCode = response.statusCode === 200 ? 0 : 1;
});
request.on('error', () => {
  process.exitCode = 1;
});
