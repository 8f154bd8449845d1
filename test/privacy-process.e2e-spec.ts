import { afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { CANARY, canariesIn, CANARY_LINES, canaryRequest } from './support/canaries.js';
import { startReady } from './support/lifecycle.js';
import { metricsOf } from './support/metrics.js';
import { buildRouter, killProcesses } from './support/process.js';
import { RawClient } from './support/raw-client.js';
import { eventually } from './support/router.js';

let chutes: ChutesSimulator;

// A process takes its time to start where the machine is busy.
jest.setTimeout(120_000);

beforeAll(buildRouter, 120_000);

beforeEach(async () => {
  chutes = await ChutesSimulator.start();
});

afterEach(async () => {
  await killProcesses();
  await chutes.close();
});

test('OBS-21, OBS-22: a router process tells nothing of its clients, from its start to its end', async () => {
  const { router, url, port } = await startReady(chutes, {
    LOG_LEVEL: 'trace',
    TRUST_PROXY_HEADERS: 'true',
    TRUSTED_PROXY_CIDRS: '127.0.0.1/32',
    UPSTREAM_PATIENT_TIMEOUT_MS: '1000',
    SHUTDOWN_GRACE_MS: '0',
  });
  const requests = [
    canaryRequest('chutesai/AutoPilot', false),
    canaryRequest('sim/normal', true),
    canaryRequest('sim/cut-stream', true),
    canaryRequest('sim/unframed-error', true),
    canaryRequest('sim/reset', false),
    canaryRequest('sim/silent', false),
    canaryRequest(CANARY.model, false),
    canaryRequest('sim/normal', true).replace('"messages"', ' messages '),
    `GET /v1/models/${CANARY.model} HTTP/1.1\r\n${CANARY_LINES.join('\r\n')}\r\nConnection: close\r\n\r\n`,
    `GET /${CANARY.query} HTTP/1.1\r\n${CANARY_LINES.join('\r\n')}\r\nno colon\r\n\r\n`,
    `GET / HTTP/1.1\r\n${CANARY_LINES.join('\r\n')}\r\nX: ${CANARY.header.repeat(4000)}\r\n\r\n`,
  ];
  for (const request of requests) await (await RawClient.open(port, request)).ended;

  const upload = await RawClient.open(port, canaryRequest('sim/normal', true).slice(0, -1));
  await eventually(async () => (await metricsOf({ url })).value('requests_active') === 1);
  upload.reset();
  const running = await RawClient.open(port, canaryRequest('sim/stall', true));
  await running.receives('data: ');
  const { text } = await metricsOf({ url });
  router.kill('SIGTERM');
  await running.ended;
  expect(await router.ended).toEqual([0, null]);

  expect(router.logs.filter(({ msg, level }) => msg === 'request' && level === 'info')).toHaveLength(10);
  expect(canariesIn(router.stdout + router.stderr)).toEqual([]);
  expect(canariesIn(text)).toEqual([]);
});
