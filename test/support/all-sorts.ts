import type { ChutesSimulator } from '../../src/simulator/chutes-simulator.js';
import { ask, complete } from './ask.js';
import { chatRequest } from './chat-request.js';
import { metricsOf } from './metrics.js';
import { RawClient } from './raw-client.js';
import { eventually, type TestRouter } from './router.js';

const ALIAS = 'chutesai/AutoPilot';
const EVIDENCE = `/chutes/b%2Fsecond-TEE/evidence?nonce=${'a'.repeat(64)}`;
const UPLOAD = 'POST /v1/completions HTTP/1.1\r\nHost: router.test\r\nContent-Length: 500\r\n\r\n{"model":';

/** Feeds with good models, misbehaving ones, and rows that cannot be used. */
export function giveFeeds(chutes: ChutesSimulator): void {
  const misbehaving = ['unavailable', 'reset', 'rate-limited', 'silent', 'stall'];
  chutes.models = ['a/first', 'b/second-TEE', ...misbehaving.map((kind) => `sim/${kind}`), {}];
  chutes.utilization = ['a/first', 'b/second-TEE', {}];
}

/** Sends requests of every kind that the metrics tell apart, with the feeds of {@link giveFeeds}. */
export async function sendAllSorts(router: TestRouter, chutes: ChutesSimulator): Promise<void> {
  await complete(router, { model: ALIAS, stream: true });
  await complete(router, { model: ALIAS });
  await complete(router, { model: 'sim/unavailable,sim/reset,b/second-TEE' });
  await complete(router, { model: 'a/first' });
  await complete(router, { model: 'a/first,b/second-TEE' }, { headers: { 'x-tee-only': 'true' } });
  await complete(router, { model: 'sim/unavailable' });
  await complete(router, { model: 'sim/reset' });
  await complete(router, { model: 'sim/rate-limited' });
  await complete(router, { model: 'unknown/model' });
  await complete(router, 'not JSON');
  await ask(router, EVIDENCE);

  await leave(router, 'upload', UPLOAD, async () => (await metricsOf(router)).value('requests_active') === 1);
  const arrived = chutes.count();
  await leave(router, 'waiting', chatRequest({ model: 'sim/silent' }), () => chutes.count() > arrived);
  const stalling = chatRequest({ model: 'sim/stall', stream: true });
  await leave(router, 'streaming', stalling, ({ received }) => received.includes('data: '));
}

/** Leaves as soon as a request has come so far. */
async function leave(
  router: TestRouter,
  phase: string,
  request: string,
  isSoFar: (client: RawClient) => boolean | Promise<boolean>,
): Promise<void> {
  const left = async () => (await metricsOf(router)).value('client_aborts_total', { phase });
  const before = await left();
  const client = await RawClient.open(router.port, request);
  await eventually(() => isSoFar(client));
  client.close();
  await eventually(async () => (await left()) === before + 1);
}
