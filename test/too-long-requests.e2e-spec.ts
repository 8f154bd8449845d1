import { afterEach, describe, expect, test } from '@jest/globals';
import { metricsOf } from './support/metrics.js';
import { headerOf } from './support/raw-response.js';
import { RawStage } from './support/raw-stage.js';
import { response } from './support/raw-upstream.js';
import { eventually } from './support/router.js';

const MODELS = [
  { id: 'a/8k', context_length: 8_192 },
  { id: 'b/unknown' },
  { id: 'c/8k', max_model_len: 8_192 },
  { id: 'd/32k-TEE', context_length: 32_768 },
  { id: 'e/32k', context_length: 32_768 },
];
const ALIAS = 'chutesai/AutoPilot';
const JSON_TYPE = 'Content-Type: application/json';

const MESSAGES = [
  "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.",
  "Requested token count exceeds the model's maximum context length of 8192 tokens.",
  "The input (9000 tokens) is longer than the model's context length (8192 tokens).",
  'Input length 9000 tokens exceeds maximum 8192 tokens',
];

const refusal = (message: string) => {
  const error = { message, type: 'BadRequestError', param: null, code: 400 };
  const detail = `Invalid request: Invalid request: ${JSON.stringify({ detail: { error } })}`;
  return response('400 Bad Request', [JSON_TYPE], JSON.stringify({ detail }));
};
const event = (message: string) => {
  const error = { object: 'error', message, type: 'BadRequestError', code: 400 };
  const body = `data: ${JSON.stringify({ error })}\n\ndata: [DONE]\n\n`;
  return response('200 OK', ['Content-Type: text/event-stream'], body);
};

let stage: RawStage;

afterEach(async () => {
  await stage.clear();
});

/** Who was asked, in order, and what was made of it. @param refuse what the model of this name does */
async function courseOf(model: string, refuse: Readonly<Record<string, string | Buffer>>, env = {}) {
  stage = await RawStage.set(env, { models: MODELS });
  for (const [name, bytes] of Object.entries(refuse)) {
    stage.upstream.answer(name, async (connection) => void (await connection.write(bytes)));
  }
  const answer = await stage.ask({ model, stream: true });
  await eventually(() => stage.router.requestLogs.length === 1);
  const [line] = stage.router.requestLogs;
  return {
    answer,
    status: answer.status,
    by: headerOf(answer, 'x-chutes-autopilot-selected'),
    attempts: headerOf(answer, 'x-chutes-autopilot-attempts'),
    asked: stage.upstream.models,
    failovers: line?.['failovers'],
  };
}

describe('a request that is too long for its model', () => {
  test.each(MESSAGES)('ATT-47, ATT-69: goes on to a model that takes longer ones: %s', async (message) => {
    const course = await courseOf(ALIAS, { 'a/8k': refusal(message) });
    expect(course).toMatchObject({
      status: 200,
      by: 'd/32k-TEE',
      attempts: '2',
      asked: ['a/8k', 'd/32k-TEE'],
    });
    expect(course.failovers).toEqual(['upstream_400']);
  });

  test('ATT-69, OBS-53: also where that is said by the first event of a stream', async () => {
    const course = await courseOf(ALIAS, { 'a/8k': event(MESSAGES[1] as string) });
    expect(course).toMatchObject({ status: 200, by: 'd/32k-TEE', failovers: ['upstream_error_event'] });
    expect((await metricsOf(stage.router)).by('kind', 'refusals_total')).toEqual({ context: 1 });
  });

  test('ATT-69: in a list, however its models are spelled', async () => {
    const list = 'a/8k:latency,c/8k,b/unknown,d/32k:throughput';
    const course = await courseOf(list, { 'a/8k:latency': refusal(MESSAGES[0] as string) });
    expect(course.asked).toEqual(['a/8k:latency', 'd/32k-TEE:throughput']);
    expect(course.status).toBe(200);
  });

  test('ATT-69: those passed over stay out, and take no attempt away', async () => {
    const gone = response('503 Service Unavailable', [JSON_TYPE], '{"detail":"No instances available"}');
    const refusing = { 'a/8k': refusal(MESSAGES[0] as string), 'd/32k-TEE': gone };
    const course = await courseOf(ALIAS, refusing, { MAX_UPSTREAM_ATTEMPTS: '3' });
    expect(course.asked).toEqual(['a/8k', 'd/32k-TEE', 'e/32k']);
    expect(course).toMatchObject({ status: 200, attempts: '3', failovers: ['upstream_400', 'upstream_503'] });
  });

  test.each([
    ['no larger one is left', 'e/32k,a/8k,d/32k-TEE', 'e/32k'],
    ['its own length is not known', 'b/unknown,d/32k-TEE', 'b/unknown'],
    ['nobody is left', 'a/8k,', 'a/8k'],
    ['it was asked for by name', 'a/8k', 'a/8k'],
  ])('ATT-69: is told so, whole and unchanged, where %s', async (_, model, refusing) => {
    const bytes = refusal(MESSAGES[0] as string);
    const course = await courseOf(model, { [refusing]: bytes });
    expect(course).toMatchObject({ status: 400, asked: [refusing], failovers: [] });
    expect(bytes.includes(course.answer.body)).toBe(true);
  });

  test('ATT-69: drops no pin', async () => {
    stage = await RawStage.set({ STICKY_TTL_SECS: '60' }, { models: MODELS });
    const headers = ['Authorization: Bearer cpk_1'];
    await stage.ask({ model: ALIAS, headers });
    stage.upstream.answer('a/8k', async (c) => void (await c.write(refusal(MESSAGES[0] as string))));
    stage.upstream.answer('d/32k-TEE', (connection) => connection.reset());
    stage.upstream.answer('e/32k', (connection) => connection.reset());
    expect((await stage.ask({ model: ALIAS, headers })).status).toBe(502);
    await eventually(() => stage.router.requestLogs.length === 2);
    await stage.ask({ model: ALIAS, headers });
    await eventually(() => stage.router.requestLogs.length === 3);
    expect(stage.router.requestLogs.map(({ pinned }) => pinned)).toEqual([false, true, true]);
  });
});

describe('refusals_total', () => {
  test.each<[string, string, string, object]>([
    ['a model that is gone', '404 Not Found', '{"detail":"model not found: a/8k"}', { model: 1 }],
    ['a 503', '503 Service Unavailable', 'x', { model: 1 }],
    ['a full model', '429 Too Many Requests', '{"detail":"no_targets"}', { capacity: 1 }],
    ['an ability', '400 Bad Request', '{"detail":"a/8k is not a multimodal model"}', { ability: 1 }],
    ['an account', '402 Payment Required', '{"detail":"Subscription usage cap exceeded."}', { account: 1 }],
    ['a token', '401 Unauthorized', '{"detail":"Invalid token."}', { account: 1 }],
    ['what is not recognised', '500 Internal Server Error', '{"detail":"Internal server error"}', {}],
    ['a 502', '502 Bad Gateway', '{"detail":"exhausted all available targets"}', {}],
  ])('OBS-53: counts %s by its kind', async (_, status, body, expected) => {
    await courseOf('a/8k,b/unknown', { 'a/8k': response(status, [JSON_TYPE], body) });
    expect((await metricsOf(stage.router)).by('kind', 'refusals_total')).toEqual(expected);
  });

  test('OBS-53: not of the last model, and from the start on with each kind', async () => {
    const body = '{"detail":"model not found: a/8k"}';
    await courseOf('a/8k', { 'a/8k': response('404 Not Found', [JSON_TYPE], body) });
    const metrics = await metricsOf(stage.router);
    expect(metrics.by('kind', 'refusals_total')).toEqual({});
    for (const kind of ['model', 'capacity', 'context', 'ability', 'account']) {
      expect(metrics.has('refusals_total', { kind })).toBe(true);
    }
  });
});
