import { globSync, readFileSync } from 'node:fs';
import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { CANARY, canariesIn, canaryRequest } from './support/canaries.js';
import { startReady } from './support/lifecycle.js';
import { OtlpReceiver, type ReceivedSpan } from './support/otlp-receiver.js';
import { buildRouter, killProcesses, type RouterProcess } from './support/process.js';
import { RawClient } from './support/raw-client.js';
import type { Env } from './support/router.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

let chutes: ChutesSimulator;
let collector: OtlpReceiver;

jest.setTimeout(120_000);

beforeAll(buildRouter, 120_000);

beforeEach(async () => {
  chutes = await ChutesSimulator.start();
  collector = await OtlpReceiver.start();
});

afterEach(async () => {
  await killProcesses();
  await collector.stop();
  await chutes.close();
});

async function start(env: Env = {}): Promise<{ router: RouterProcess; url: string; port: number }> {
  return startReady(chutes, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env });
}

async function ask(url: string, model: string, headers: Record<string, string> = {}): Promise<number> {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] });
  const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body, headers });
  await response.arrayBuffer();
  return response.status;
}

/** What a router that ends has sent by then. */
async function spansAtEnd(router: RouterProcess): Promise<readonly ReceivedSpan[]> {
  router.kill('SIGTERM');
  await router.ended;
  return collector.spans;
}

describe('traces', () => {
  test('OBS-44: a request is a span within the trace of its client, and each attempt one within it', async () => {
    const { router, url } = await start({ OTEL_SERVICE_NAME: 'my-router' });
    expect(await ask(url, 'sim/reset,sim/normal', { traceparent: `00-${TRACE}-${PARENT}-01` })).toBe(200);
    const spans = await spansAtEnd(router);

    const server = spans.find(({ kind }) => kind === 2) as ReceivedSpan;
    const attempts = spans.filter(({ kind }) => kind === 3);
    expect(server).toMatchObject({
      name: 'POST /v1/chat/completions',
      traceId: TRACE,
      parentSpanId: PARENT,
      status: 0,
    });
    expect(server.attributes).toEqual({
      'chutes_autopilot.attempts': 2,
      'chutes_autopilot.ending': 'complete',
      'chutes_autopilot.mode': 'list',
      'chutes_autopilot.request_id': expect.any(String),
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'chutes',
      'gen_ai.request.model': 'sim/reset,sim/normal',
      'gen_ai.response.model': 'sim/normal',
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'http.route': '/v1/chat/completions',
      'url.scheme': 'http',
    });
    expect(attempts).toEqual([
      expect.objectContaining({ traceId: TRACE, parentSpanId: server.spanId, status: 2 }),
      expect.objectContaining({ traceId: TRACE, parentSpanId: server.spanId, status: 0 }),
    ]);
    expect(attempts.map(({ name }) => name)).toEqual(['chat sim/reset', 'chat sim/normal']);
    expect(attempts.map(({ attributes }) => attributes)).toEqual([
      expect.objectContaining({
        'error.type': 'upstream_reset',
        'gen_ai.operation.name': 'chat',
        'gen_ai.request.model': 'sim/reset',
      }),
      expect.objectContaining({
        'gen_ai.request.model': 'sim/normal',
        'gen_ai.response.model': 'sim/normal',
        'http.request.resend_count': 1,
        'http.response.status_code': 200,
        'server.address': '127.0.0.1',
      }),
    ]);
    expect(collector.resource).toMatchObject({ 'service.name': 'my-router' });
  });

  test('OBS-45: the id of the trace is that of the log, and the client’s header goes upstream as it came', async () => {
    const { router, url } = await start();
    await ask(url, 'sim/normal', { traceparent: `00-${TRACE}-${PARENT}-01` });
    await ask(url, 'sim/normal');
    const spans = await spansAtEnd(router);

    const ids = spans.filter(({ kind }) => kind === 2).map(({ traceId }) => traceId);
    expect(ids).toEqual([TRACE, expect.stringMatching(/^[\da-f]{32}$/)]);
    const lines = router.logs.filter(({ msg }) => msg === 'request');
    expect(lines.slice(-2).map(({ trace_id: id }) => id)).toEqual(ids);
    const sent = chutes.requests
      .filter(({ method }) => method === 'POST')
      .map(({ headers }) => headers['traceparent']);
    expect(sent).toEqual([`00-${TRACE}-${PARENT}-01`, undefined]);
  });

  test.each([
    ['OBS-46', 'a client’s own mistake is no error of the server', 'no/such-model', 0, undefined],
    ['OBS-46', 'an error of the server has its status', 'sim/reset', 2, '502'],
    ['OBS-46', 'an answer that breaks says so', 'sim/truncated', 2, 'interrupted'],
  ])('%s: %s', async (_clause, _what, model, status, error) => {
    const { router, url } = await start();
    await ask(url, model).catch(() => {});
    const server = (await spansAtEnd(router)).find(({ kind }) => kind === 2);
    expect(server?.status).toBe(status);
    expect(server?.attributes['error.type']).toBe(error);
  });

  test('OBS-56: has the route of what was served, and outlives targets that nobody can decode', async () => {
    const { router, port } = await start();
    for (const [method, target] of [
      ['GET', '/chutes/a/evidence#%ff'],
      ['POST', '/v1/chat/completions#%ff'],
      ['POST', 'http://x.example/v1/messages/count_tokens'],
      ['POST', '/%761/responses?a=%ff'],
    ]) {
      const client = await RawClient.open(
        port,
        `${method} ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\n{`,
      );
      expect((await client.response()).status).toBe(400);
    }
    expect((await spansAtEnd(router)).map(({ name }) => name)).toEqual([
      'GET /chutes/{chute}/evidence',
      'POST /v1/chat/completions',
      'POST /v1/messages/count_tokens',
      'POST /v1/responses',
    ]);
    expect(await router.ended).toEqual([0, null]);
  });

  test('OBS-57: a parent that is not sampled is obeyed, its state is kept, and two parents are none', async () => {
    const { router, port, url } = await start();
    await ask(url, 'sim/normal', { traceparent: `00-${TRACE}-${PARENT}-00` });
    await ask(url, 'sim/normal', { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'a=1,b=2' });
    const body = '{"model":"sim/normal","messages":[]}';
    const twice = `traceparent: 00-${TRACE}-${PARENT}-01\r\n`.repeat(2);
    const client = await RawClient.open(
      port,
      `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n${twice}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
    expect((await client.response()).status).toBe(200);
    const spans = await spansAtEnd(router);
    const [kept, own] = spans.filter(({ kind }) => kind === 2);
    expect(spans).toHaveLength(4);
    expect(kept).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, traceState: 'a=1,b=2' });
    expect(own).toMatchObject({ traceId: expect.not.stringMatching(TRACE), parentSpanId: '' });
    const ids = router.logs.filter(({ msg }) => msg === 'request').map(({ trace_id: id }) => id);
    expect(ids).toEqual([TRACE, TRACE, own?.traceId]);
  });

  test.each([
    ['hangs', 'hang', {}],
    ['asks to be spared for long', 503, { 'retry-after': '3600' }],
    ['asks to be spared for a moment', 503, { 'retry-after': '1' }],
  ] as const)('OBS-49: a collector that %s keeps no process from ending', async (_what, status, headers) => {
    Object.assign(collector, { status, headers });
    const { router, url } = await start();
    expect(await ask(url, 'sim/normal')).toBe(200);
    const began = performance.now();
    router.kill('SIGTERM');
    expect(await router.ended).toEqual([0, null]);
    // Two seconds, and what a busy machine makes of the rest.
    expect(performance.now() - began).toBeLessThan(8_000);
    expect(collector.exports.length).toBeGreaterThan(0);
  });

  test('OBS-47: nothing of a prompt, a token, a session or an address is in what goes out', async () => {
    const { router, port } = await start({
      TRUST_PROXY_HEADERS: 'true',
      TRUSTED_PROXY_CIDRS: '127.0.0.1/32',
    });
    for (const model of ['sim/normal', 'sim/reset', 'sim/unframed-error', 'no/such-model']) {
      await (
        await RawClient.open(port, canaryRequest(model, true))
      ).ended;
    }
    expect(await spansAtEnd(router)).toHaveLength(7);
    const sent = collector.exports.map(({ body }) => body.toString('latin1')).join('');
    expect(canariesIn(sent)).toEqual([]);
    expect(sent).not.toContain(CANARY.prompt);
  });

  test('OBS-48: OpenTelemetry’s own variables count: sampler, headers, endpoint of the traces', async () => {
    const { router, url } = await startReady(chutes, {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/of-traces`,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=secret',
      OTEL_TRACES_SAMPLER: 'parentbased_always_off',
    });
    await ask(url, 'sim/normal');
    await ask(url, 'sim/normal', { traceparent: `00-${TRACE}-${PARENT}-01` });
    expect((await spansAtEnd(router)).map(({ traceId }) => traceId)).toEqual([TRACE, TRACE]);
    expect(collector.exports[0]?.path).toBe('/of-traces');
    expect(collector.exports[0]?.headers['x-collector-key']).toBe('secret');
  });

  test('OBS-49: a collector that fails costs no request anything, and is told of once', async () => {
    collector.status = 400;
    const { router, url } = await start();
    expect(await ask(url, 'sim/normal')).toBe(200);
    await spansAtEnd(router);
    expect(await router.ended).toEqual([0, null]);
    const told = router.logs.filter(({ msg }) => /traces/.test(String(msg)));
    expect(told).toEqual([expect.objectContaining({ level: 'warn', msg: 'traces are not taken' })]);
  });

  test('OBS-49: a collector that is not there keeps no process from ending', async () => {
    const { router, url } = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
    expect(await ask(url, 'sim/normal')).toBe(200);
    router.kill('SIGTERM');
    expect(await router.ended).toEqual([0, null]);
  });

  test('OBS-50: one file alone needs OpenTelemetry’s SDK, and it is loaded when it is configured', () => {
    const sources = globSync('src/**/*.ts', { exclude: ['**/*.spec.ts'] });
    const users = sources.filter((file) => readFileSync(file, 'utf8').includes("'@opentelemetry/"));
    expect(users).toEqual(['src/telemetry/open-telemetry.client.ts']);
    const loaders = sources.filter((file) => readFileSync(file, 'utf8').includes('open-telemetry.client.js'));
    expect(loaders).toEqual(['src/telemetry/telemetry.module.ts']);
    expect(readFileSync(loaders[0] as string, 'utf8')).toContain(
      "await import('./open-telemetry.client.js')",
    );
  });
});
