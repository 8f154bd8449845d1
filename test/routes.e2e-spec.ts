import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { modelEntry } from '../src/simulator/feeds/simulated-models.js';
import { ask, complete, errorOf } from './support/ask.js';
import { headerOf } from './support/raw-response.js';
import { RawClient } from './support/raw-client.js';
import { eventually, startRouter, type TestRouter } from './support/router.js';

const NONCE = 'a'.repeat(64);
const ODD_ID = 'odd/näme with %2F, ? and #';
const ENTRIES = [
  modelEntry('b/second-TEE'),
  modelEntry('a/first', { unknown_field: [{ deep: null }, 1.5, 'é'] }),
  { id: 'c/bare' },
  modelEntry(ODD_ID),
];

let chutes: ChutesSimulator;
let router: TestRouter;

beforeAll(async () => {
  chutes = await ChutesSimulator.start({ simModels: false });
  chutes.models = [
    ENTRIES[0],
    { object: 'model' },
    ENTRIES[1],
    { id: '' },
    ENTRIES[2],
    { id: 7 },
    ENTRIES[3],
  ];
  chutes.utilization = ['a/first', 'b/second-TEE'];
  router = await startRouter(chutes);
});

afterAll(async () => {
  await router.close();
  await chutes.close();
});

describe('completions', () => {
  const bytes = Buffer.from([0x7b, 0x00, 0xff, 0xfe, 0x0d, 0x0a, 0xc3]);

  test.each(['/v1/chat/completions', '/v1/completions'])(
    'RTE-1, RTE-2: %s goes to the same path of the upstream and its bytes come back',
    async (path) => {
      chutes.behave(
        '*',
        { kind: 'status', status: 200, headers: { 'content-type': 'x/y' }, body: bytes },
        { times: 1 },
      );
      const answer = await complete(router, { model: 'chutesai/AutoPilot', prompt: 'Hi' }, { path });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'x/y']);
      expect(answer.bytes).toEqual(bytes);
      const request = await chutes.nextRequest();
      expect([request.method, request.path]).toEqual(['POST', path]);
      expect(JSON.parse(request.body.toString())).toEqual({ model: 'a/first', prompt: 'Hi' });
    },
  );

  test.each([
    ['ordinary', '?a=1&b=2'],
    ['repeated, empty and odd', '?a=2&a=1&&=&b&%zz=%&c=+%20%2F/?d=e;f'],
    ['nothing behind the mark', '?'],
    ['like a path', '?/v1/models'],
  ])('RTE-3: the query goes upstream as it is: %s', async (_, query) => {
    const body = JSON.stringify({ model: 'a/first' });
    const client = await RawClient.open(router.port);
    await client.send(
      `POST /v1/completions${query} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect((await client.response()).status).toBe(200);
    client.close();
    expect((await chutes.nextRequest()).path).toBe(`/v1/completions${query}`);
  });
});

describe('the catalog', () => {
  test('RTE-4, RTE-5: the aliases come first, then the upstream’s entries as they are', async () => {
    const { status, text } = await ask(router, '/v1/models');
    expect(status).toBe(200);
    const { object, data, ...rest } = JSON.parse(text) as { object: string; data: unknown[] };
    expect([object, rest]).toEqual(['list', {}]);
    expect(data.slice(0, 2)).toEqual([
      expect.objectContaining({ id: 'chutesai/AutoPilot', object: 'model', owned_by: 'chutes-autopilot' }),
      expect.objectContaining({
        id: 'chutesai-routing/AutoPilot',
        object: 'model',
        owned_by: 'chutes-autopilot',
      }),
    ]);
    expect(data.slice(2)).toEqual(JSON.parse(JSON.stringify(ENTRIES)));
  });

  test.each([
    ['literal slash', '/v1/models/a/first', 'a/first'],
    ['encoded slash', '/v1/models/a%2Ffirst', 'a/first'],
    ['lower-case encoding', '/v1/models/a%2ffirst', 'a/first'],
    ['with a query', '/v1/models/a/first?x=/y', 'a/first'],
    ['all of it encoded', `/v1/models/${encodeURIComponent(ODD_ID)}`, ODD_ID],
    ['an alias', '/v1/models/chutesai/AutoPilot', 'chutesai/AutoPilot'],
    ['an alias, encoded', '/v1/models/chutesai-routing%2FAutoPilot', 'chutesai-routing/AutoPilot'],
  ])('RTE-6: one entry by its id: %s', async (_, path, id) => {
    const { data } = JSON.parse((await ask(router, '/v1/models')).text) as { data: { id: string }[] };
    const { status, text } = await ask(router, path);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual(data.find((entry) => entry.id === id));
  });

  test.each([
    ['unknown', 'a/nobody'],
    ['another case', 'A/First'],
    ['with a suffix', 'a/first:latency'],
    ['half of one', 'a'],
    ['encoded twice', 'a%252Ffirst'],
    ['what every object has', 'constructor'],
    ['none at all', ''],
    ['very long', 'x/'.repeat(6_000)],
  ])('RTE-7: any other id is model_not_found: %s', async (_, id) => {
    const answer = await ask(router, `/v1/models/${id}`);
    expect(answer.status).toBe(404);
    expect(errorOf(answer)).toMatchObject({ type: 'invalid_request_error', code: 'model_not_found' });
  });
});

describe('before the first model list', () => {
  let early: TestRouter;

  beforeEach(async () => {
    chutes.feed('models', 'error');
    early = await startRouter(chutes, { MODELS_REFRESH_MS: '20' }, { awaitReady: false });
  });

  afterEach(async () => early.close());

  test('RTE-8, RTE-9: the catalog is missing and the process lives, until the list is there', async () => {
    for (const path of ['/v1/models', '/v1/models/a/first', '/v1/models/chutesai/AutoPilot']) {
      const answer = await ask(early, path);
      expect(answer.status).toBe(503);
      expect(errorOf(answer)).toMatchObject({ type: 'server_error', param: null, code: 'missing_allowlist' });
    }
    expect((await ask(early, '/healthz')).status).toBe(200);

    chutes.feed('models', 'normal');
    await eventually(async () => (await ask(early, '/v1/models')).status === 200);
    expect((await ask(early, '/v1/models/a/first')).status).toBe(200);

    // Once loaded, the last good list stays.
    chutes.feed('models', 'error');
    const failed = chutes.count('/v1/models') + 2;
    await eventually(() => chutes.count('/v1/models') > failed);
    expect((await ask(early, '/v1/models/a/first')).status).toBe(200);
    chutes.feed('models', 'normal');
  });
});

describe('everything else', () => {
  test('RTE-10: the metrics are in the Prometheus text format', async () => {
    const { status, headers, text } = await ask(router, '/metrics');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines.length).toBeGreaterThan(20);
    for (const line of lines) expect(line).toMatch(/^[a-z_\d]+(?:\{[^}]*\})? (?:[-+.\de]+|NaN|[+-]Inf)$/);
    expect(text).toContain('\nchutes_autopilot_ready_candidates 2\n');
  });

  test.each([
    '/v1/models',
    '/v1/models/a/first',
    '/v1/models/a/nobody',
    '/healthz',
    '/readyz',
    '/metrics',
    `/chutes/b%2Fsecond-TEE/evidence?nonce=${NONCE}`,
    '/chutes/b%2Fsecond-TEE/evidence',
    '/nothing/here',
  ])('RTE-11: HEAD of %s has the status of its GET and no body', async (path) => {
    const client = await RawClient.open(router.port, `HEAD ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const head = await client.response({ toHead: true });
    // A byte of a body would stand before the next response and break it.
    await client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const get = await client.response();
    client.close();
    expect([head.status, headerOf(head, 'content-type')]).toEqual([
      get.status,
      headerOf(get, 'content-type'),
    ]);
    expect(get.body.length).toBeGreaterThan(0);
  });

  test.each([
    ['GET', '/'],
    ['GET', '/v1'],
    ['POST', '/chat/completions'],
    ['POST', '/v1/chat/completions/'],
    ['GET', '/chutes/a/first/evidence'],
    ['DELETE', '/anything?at=all'],
  ])('RTE-12: %s %s is not found', async (method, path) => {
    const answer = await ask(router, path, { method });
    expect(answer.status).toBe(404);
    expect(errorOf(answer)).toMatchObject({ type: 'invalid_request_error', param: null, code: 'not_found' });
  });

  test.each([
    ['POST', '/v1/responses/resp_1'],
    ['POST', '/v1/embeddings'],
    ['GET', '/v1/files'],
  ])('RTE-13: the answer to %s %s says what is served', async (method, path) => {
    const body = method === 'POST' ? { body: JSON.stringify({ model: 'a/first', input: 'Hi' }) } : {};
    const answer = await ask(router, path, { method, ...body });
    expect(answer.status).toBe(404);
    expect(errorOf(answer).code).toBe('not_found');
    expect(errorOf(answer).message).toContain('/v1/chat/completions');
  });

  test.each([
    ['POST', '/chat/completions'],
    ['GET', '/chat/completions'],
    ['GET', '/models'],
    ['POST', '/openai/v1/chat/completions'],
    ['POST', '//v1/chat/completions'],
    ['GET', '//v1/models'],
    ['POST', '/v1/v1/chat/completions'],
    ['POST', '/V1/chat/completions/'],
    ['GET', '/'],
    ['POST', '/'],
    ['POST', '/v1'],
  ])('RTE-24: the answer to %s %s says how the base URL ends', async (method, path) => {
    const body = method === 'POST' ? { body: JSON.stringify({ model: 'a/first' }) } : {};
    const answer = await ask(router, path, { method, ...body });
    expect(answer.status).toBe(404);
    expect(errorOf(answer)).toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('followed by /v1'),
    });
  });

  test.each([
    ['GET', '/v1/chat/completions', 'POST'],
    ['HEAD', '/v1/completions', 'POST'],
    ['OPTIONS', '/v1/completions?x', 'POST'],
    ['POST', '/v1/models', 'GET, HEAD'],
    ['DELETE', '/v1/models/a/first', 'GET, HEAD'],
    ['PUT', '/chutes/b%2Fsecond-TEE/evidence', 'GET, HEAD'],
    ['PATCH', '/healthz', 'GET, HEAD'],
    ['PROPFIND', '/readyz', 'GET, HEAD'],
    ['PURGE', '/metrics', 'GET, HEAD'],
  ])('RTE-14: %s %s is not allowed', async (method, path, allow) => {
    const answer = await ask(router, path, { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow]);
    if (method !== 'HEAD') {
      // oxlint-disable-next-line jest/no-conditional-expect -- a HEAD has no body
      expect(errorOf(answer)).toMatchObject({ type: 'invalid_request_error', code: 'method_not_allowed' });
    }
  });
});
