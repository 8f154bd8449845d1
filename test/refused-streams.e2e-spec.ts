import { afterEach, describe, expect, test } from '@jest/globals';
import { EVENT_STREAM } from './support/header-lines.js';
import { headerOf, type RawResponse } from './support/raw-response.js';
import { RawStage } from './support/raw-stage.js';
import { response } from './support/raw-upstream.js';
import { type Env, eventually } from './support/router.js';

const TOKEN = 'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}\n\n';
const DONE = 'data: [DONE]\n\n';
const LIST = 'first,second';
const COOLS_AT_ONCE = { COOLDOWN_FAILURES: '1', COOLDOWN_MS: '600000', COOLDOWN_MAX_MS: '600000' };

let stage: RawStage;

afterEach(async () => stage.clear());

function error(code: number, message = 'Bad content'): string {
  return `data: ${JSON.stringify({ error: { message, type: 'BadRequestError', code } })}\n\n`;
}

/** A router whose model `first` streams this. */
async function streaming(body: string, env: Env = COOLS_AT_ONCE): Promise<void> {
  stage = await RawStage.set(env);
  stage.upstream.answer('first', async (connection) => {
    await connection.write(response('200 OK', [EVENT_STREAM], body));
  });
}

/** The answer, once it has been logged. */
async function ask(model: string, client = 'cpk_1'): Promise<RawResponse> {
  const before = stage.router.requestLogs.length;
  const answer = await stage.ask({ model, stream: true, headers: [`Authorization: Bearer ${client}`] });
  await eventually(() => stage.router.requestLogs.length > before);
  return answer;
}

const ending = () => stage.router.requestLogs.at(-1)?.['ending'];
const cools = () => stage.router.logs.some(({ msg }) => msg === 'model cooling');

describe('a stream', () => {
  test.each<[string, string, string]>([
    ['of a model that is asked for alone', 'first', error(400)],
    ['of one of two', LIST, error(400)],
    ['with [DONE] behind it', 'first', error(422) + DONE],
    ['with a comment in front', 'first', `: hi\n\n${error(400)}`],
    ['about a context that no other model has', LIST, error(400, 'maximum context length')],
    ['of the last model, about an ability', 'first', error(400, 'a/b is not a multimodal model')],
  ])('ATT-78: that refuses the request says nothing against its model: %s', async (_, model, body) => {
    await streaming(body);
    expect((await ask(model)).body.toString()).toBe(body);
    expect([ending(), cools()]).toEqual(['complete', false]);
  });

  test.each<[string, string]>([
    ['begins with an error of the server', error(500)],
    ['has such an error in the middle', TOKEN + error(400)],
    ['has such an error behind more than is looked at', TOKEN.repeat(1_000) + error(400)],
  ])('ATT-60: that %s is broken', async (_, body) => {
    await streaming(body);
    await ask('first');
    expect([ending(), cools()]).toEqual(['interrupted', true]);
  });

  test('ATT-78: that refuses the request leaves the pin on its model', async () => {
    await streaming(error(400), { STICKY_TTL_SECS: '60' });
    stage.upstream.answer('second', (connection) => connection.reset());
    await ask('second,first');
    stage.upstream.answer('second', async (connection) => {
      await connection.write(response('200 OK', [EVENT_STREAM], DONE));
    });
    expect(headerOf(await ask('second,first'), 'x-chutes-autopilot-selected')).toBe('first');
    expect(headerOf(await ask('second,first', 'cpk_2'), 'x-chutes-autopilot-selected')).toBe('second');
  });
});
