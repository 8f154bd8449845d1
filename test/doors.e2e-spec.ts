import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import type { RecordedRequest } from '../src/simulator/recorded-request.js';
import { type Answer, ask, complete, errorOf, selectedOf } from './support/ask.js';
import { metricsOf } from './support/metrics.js';
import { startRouter, type TestRouter } from './support/router.js';

const ALIAS = 'chutesai/AutoPilot';
const FIRST = 'a/first';
const SECOND = 'b/second';
const LIST = `${FIRST},${SECOND}`;
const ORIGIN = 'https://app.example';

type Host = 'llm' | 'responses' | 'claude';
const DOORS = [
  ['/v1/responses', 'responses'],
  ['/v1/messages', 'claude'],
  ['/v1/messages/count_tokens', 'claude'],
] as const satisfies [string, Host][];

let hosts: Readonly<Record<Host, ChutesSimulator>>;
let router: TestRouter;

beforeAll(async () => {
  const [llm, responses, claude] = await Promise.all([1, 2, 3].map(async () => ChutesSimulator.start()));
  hosts = { llm, responses, claude } as typeof hosts;
  for (const host of Object.values(hosts)) {
    host.models = [
      {
        id: FIRST,
        supported_features: ['tools'],
        input_modalities: ['text', 'image'],
        context_length: 100_000,
      },
      { id: SECOND, supported_features: [], input_modalities: ['text'], context_length: 100_000 },
    ];
    host.utilization = [
      { name: FIRST, active_instance_count: 9 },
      { name: SECOND, active_instance_count: 1 },
    ];
  }
  router = await startRouter(hosts.llm, {
    RESPONSES_BASE_URL: `${hosts.responses.url}/v1`,
    MESSAGES_BASE_URL: hosts.claude.url,
    CORS_ALLOWED_ORIGINS: ORIGIN,
  });
});

afterAll(async () => {
  await router.close();
  await Promise.all(Object.values(hosts).map(async (host) => host.close()));
});

beforeEach(() => {
  for (const host of Object.values(hosts)) host.behave('*', 'normal');
});

/** The request that its host has got last. */
function lastAt(host: Host): RecordedRequest {
  return hosts[host].generations.at(-1) as RecordedRequest;
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe.each(DOORS)('%s', (path, host) => {
  test('DOR-1: goes to its own upstream, at the same path, with query and body as they are', async () => {
    const before = Object.values(hosts).map((one) => one.count());
    const body = `{ "input":"Hi","messages" : [],"n":1.0, "model":"${ALIAS}", "n":1e400 }`;
    const answer = await complete(router, body, { path: `${path}?beta=true&x=%2F` });
    expect([answer.status, selectedOf(answer)]).toEqual([200, FIRST]);
    const request = lastAt(host);
    expect(request.path).toBe(`${path}?beta=true&x=%2F`);
    expect(request.body.toString()).toBe(body.replace(ALIAS, FIRST));
    const now = Object.entries(hosts).map(([name, one], i) => [name, one.count() - (before[i] ?? 0)]);
    expect(now.filter(([, count]) => count !== 0)).toEqual([[host, 1]]);
  });

  test('DOR-1: goes there in other spellings, too', async () => {
    const spelled = path.replace('m', '%6D').replace('r', '%72');
    const answer = await complete(router, { model: FIRST, input: 'Hi' }, { path: spelled });
    expect(answer.status).toBe(200);
    expect(lastAt(host).path).toBe(path);
  });

  test('DOR-2: fails over in a list, and tells of it', async () => {
    hosts[host].behave(FIRST, 'unavailable');
    const answer = await complete(router, { model: LIST }, { path, headers: bearer(`list ${path}`) });
    expect([answer.status, selectedOf(answer)]).toEqual([200, SECOND]);
    expect(answer.headers.get('x-chutes-autopilot-attempts')).toBe('2');
    hosts[host].behave(FIRST, 'normal');
  });

  test('DOR-2: is counted, and logged with its mode, model and attempts', async () => {
    const lines = router.requestLogs.length;
    const before = (await metricsOf(router)).value('requests_total', { status: 200 });
    await complete(router, { model: ALIAS }, { path, headers: bearer(`log ${path}`) });
    expect(router.requestLogs.slice(lines)).toMatchObject([
      { mode: 'alias', model: FIRST, attempts: 1, status: 200, ending: 'complete' },
    ]);
    expect((await metricsOf(router)).value('requests_total', { status: 200 })).toBe(before + 1);
  });

  test('DOR-2: a dry run is decided and sent nowhere', async () => {
    const before = hosts[host].count();
    const headers = { 'x-chutes-autopilot-dry-run': 'true' };
    const answer = await complete(router, { model: ALIAS, tools: [{ name: 'now' }] }, { path, headers });
    expect(JSON.parse(answer.text)).toMatchObject({
      object: 'autopilot.decision',
      needs: { tools: true },
      candidates: [{ model: FIRST }],
    });
    expect(hosts[host].count()).toBe(before);
  });

  test('DOR-5: the key and the versions go upstream as they came', async () => {
    const headers = {
      'x-api-key': 'sk-of-a-client',
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'one,two-2026',
    };
    await complete(router, { model: FIRST }, { path, headers });
    const request = lastAt(host);
    expect(request.headers).toMatchObject(headers);
    expect(request.headers.authorization).toBeUndefined();
  });

  test('DOR-5: a script may send them', async () => {
    const { status, headers } = await ask(router, path, {
      method: 'OPTIONS',
      headers: {
        origin: ORIGIN,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'anthropic-version,x-api-key',
      },
    });
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-methods')).toBe('POST');
    expect(headers.get('access-control-allow-headers')).toBe('anthropic-version,x-api-key');
  });

  test('RTE-14: serves POST alone, in other spellings, too', async () => {
    for (const spelled of [path, path.replace('m', '%6D').replace('r', '%72')]) {
      const answer = await ask(router, spelled);
      expect([answer.status, errorOf(answer).code]).toEqual([405, 'method_not_allowed']);
      expect(answer.headers.get('allow')).toBe('POST');
    }
  });
});

describe('needs', () => {
  const IMAGE = [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', data: 'AAAA' } }] }];
  const INPUT = [
    { role: 'user', content: [{ type: 'input_image', image_url: 'data:image/png;base64,AAAA' }] },
  ];

  test.each<[string, object, object]>([
    ['/v1/messages', { messages: IMAGE }, { image: true }],
    ['/v1/messages/count_tokens', { messages: IMAGE }, { image: true }],
    ['/v1/responses', { input: INPUT }, { image: true }],
    ['/v1/messages', { messages: [], tools: [{ name: 'now', input_schema: {} }] }, { tools: true }],
    ['/v1/responses', { input: 'Hi', tools: [{ type: 'function', name: 'now' }] }, { tools: true }],
    ['/v1/responses', { text: { format: { type: 'json_schema' } } }, { structured_outputs: true }],
    ['/v1/responses', { input: 'Hi', max_output_tokens: 500 }, { answer_tokens: 500 }],
    ['/v1/messages', { messages: [], max_tokens: 700 }, { answer_tokens: 700 }],
  ])('DOR-3: of %s with %j are %j', async (path, fields, needs) => {
    const headers = { 'x-chutes-autopilot-dry-run': 'true' };
    const { text } = await complete(router, { model: LIST, ...fields }, { path, headers });
    expect(JSON.parse(text)).toMatchObject({ needs });
  });

  test('DOR-3: a document is a file that no model is known to take', async () => {
    const messages = [
      { role: 'user', content: [{ type: 'document', source: { type: 'base64', data: 'AAAA' } }] },
    ];
    const answer = await complete(router, { model: ALIAS, messages }, { path: '/v1/messages' });
    expect([answer.status, errorOf(answer).code]).toEqual([400, 'no_capable_model']);
  });
});

test('DOR-2: the same value of model has the same pin at every door', async () => {
  const headers = { 'x-api-key': 'sk-of-one-client' };
  hosts.claude.behave(FIRST, 'unavailable', { times: 1 });
  const [pinning, ...others] = [
    await complete(router, { model: LIST }, { path: '/v1/messages', headers }),
    await complete(router, { model: LIST }, { path: '/v1/messages/count_tokens', headers }),
    await complete(router, { model: LIST }, { path: '/v1/responses', headers }),
    await complete(router, { model: LIST }, { headers }),
  ];
  expect(selectedOf(pinning)).toBe(SECOND);
  expect(others.map(selectedOf)).toEqual([SECOND, SECOND, SECOND]);
});

describe('a door that is off', () => {
  let own: TestRouter;

  beforeAll(async () => {
    own = await startRouter(hosts.llm, { MESSAGES_BASE_URL: 'off', CORS_ALLOWED_ORIGINS: ORIGIN });
  });

  afterAll(async () => {
    await own.close();
  });

  const PATHS = ['/v1/messages', '/v1/messages/count_tokens', '/v1/mess%61ges', '/v1/messages?beta=true'];

  test.each(PATHS)('DOR-4: is 404 at %s, with every method', async (path) => {
    for (const method of ['POST', 'GET', 'PUT', 'OPTIONS']) {
      const answer = await ask(own, path, {
        method,
        ...(method === 'POST' ? { body: '{"model":"x"}' } : {}),
      });
      expect([method, answer.status, errorOf(answer).code]).toEqual([method, 404, 'not_found']);
      expect(errorOf(answer).message).not.toMatch(/messages/);
    }
  });

  test('DOR-4: answers as another path that is not served', async () => {
    const [shut, unknown] = await Promise.all(
      ['/v1/messages', '/v1/embeddings'].map(async (path) => complete(own, { model: FIRST }, { path })),
    );
    expect(errorOf(shut as Answer).message).toBe(errorOf(unknown as Answer).message);
    expect([...(shut?.headers.keys() ?? [])]).toEqual([...(unknown?.headers.keys() ?? [])]);
  });

  test('DOR-4: counts as no request, reads no body, and has no CORS preflight', async () => {
    const lines = own.requestLogs.length;
    await complete(own, { model: FIRST }, { path: '/v1/messages' });
    expect(own.requestLogs.slice(lines)).toEqual([]);
    const { status } = await ask(own, '/v1/messages', {
      method: 'OPTIONS',
      headers: { origin: ORIGIN, 'access-control-request-method': 'POST' },
    });
    expect(status).toBe(404);
  });

  test('DOR-4: leaves the other doors open', async () => {
    const paths = ['/v1/chat/completions', '/v1/completions', '/v1/responses'];
    const answers = await Promise.all(paths.map(async (path) => complete(own, { model: FIRST }, { path })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});
