import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { complete, selectedOf } from './support/ask.js';
import { Caller } from './support/caller.js';
import { ConversationStage } from './support/conversation-stage.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';
import { snapshotOf } from './support/routing-stage.js';

const ALIAS = 'chutesai/AutoPilot';
const SYSTEM = { role: 'system', content: 'You are the assistant of a large company.' };
const user = (content: string) => ({ role: 'user', content });
const answer = { role: 'assistant', content: 'Yes.' };

describe('ten thousand conversations of one token', () => {
  const CONVERSATIONS = 10_000;
  const TURNS = 4;
  const MODELS = Array.from({ length: 20 }, (_, i) => `m/${i}`);
  /** The feed as it is when each of the models is the best. */
  const SNAPSHOTS = MODELS.map((_, i) => snapshotOf(MODELS, [...MODELS.slice(i), ...MODELS.slice(0, i)]));

  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000_000 });
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  /** Who answered the first turn of each, and which of them another model answered later. */
  function play(env: Env): { first: string[]; moved: number[] } {
    const stage = new ConversationStage(ALIAS, ALIAS, env);
    const turn = (n: number, turns: number, best: number) =>
      stage.turn(n, turns, SNAPSHOTS[best % MODELS.length] as (typeof SNAPSHOTS)[number]);
    const first = Array.from({ length: CONVERSATIONS }, (_, n) => turn(n, 0, n));
    const moved = new Set<number>();
    for (let turns = 1; turns < TURNS; turns += 1) {
      jest.advanceTimersByTime(600_000);
      for (let n = 0; n < CONVERSATIONS; n += 1) {
        if (turn(n, turns, n * 7 + turns) !== first[n]) moved.add(n);
      }
    }
    return { first, moved: [...moved] };
  }

  test('STK-47: each keeps its model for all its turns, and new ones go to whoever has room then', () => {
    const { first, moved } = play({ STICKY_SCOPE: 'conversation' });
    expect(moved).toEqual([]);
    expect(first).toEqual(first.map((_, n) => MODELS[n % MODELS.length]));
  });

  test('STK-47: with room for half of them they lose their pins before they come back', () => {
    const { moved } = play({ STICKY_SCOPE: 'conversation', STICKY_MAX_ENTRIES: '5000' });
    expect(moved.length).toBeGreaterThan(CONVERSATIONS / 2);
  });

  test('STK-44: by default all of them are one client, and go where the first one went', () => {
    expect(new Set(play({}).first)).toEqual(new Set(['m/0']));
  });
});

describe('through the router', () => {
  const [A, B, C] = ['m/a', 'm/b', 'm/c'] as const;
  const LIST = [A, B, C].join(',');
  const FIRST = [SYSTEM, user('One')];
  const CALL = {
    role: 'assistant',
    tool_calls: [{ id: 'c', type: 'function', function: { name: 'now', arguments: '{}' } }],
  };
  const RESULT = { role: 'tool', tool_call_id: 'c', content: 'noon' };
  const HEADERS = { authorization: 'Bearer cpk_company' };
  let chutes: ChutesSimulator;
  const routers: TestRouter[] = [];

  beforeAll(async () => {
    chutes = await ChutesSimulator.start({ simModels: false });
    // So little is known of them that long messages are no reason against them.
    chutes.models = [A, B, C].map((id) => ({ id }));
  });

  afterEach(async () => {
    for (const model of [A, B, C]) chutes.behave(model, 'normal', { times: 0 });
    await Promise.all(routers.splice(0).map((router) => router.close()));
  });

  afterAll(async () => {
    await chutes.close();
  });

  async function start(env: Env = {}): Promise<TestRouter> {
    chutes.utilization = ranked(A, B, C);
    const router = await startRouter(chutes, {
      STICKY_SCOPE: 'conversation',
      UTILIZATION_REFRESH_MS: '20',
      ...env,
    });
    routers.push(router);
    return router;
  }

  async function rankAnew(router: TestRouter, best: string, ...others: readonly string[]): Promise<void> {
    chutes.utilization = ranked(best, ...others);
    let n = 0;
    const stranger = () =>
      complete(router, { model: ALIAS }, { headers: { authorization: `Bearer new_${(n += 1)}` } });
    await eventually(async () => selectedOf(await stranger()) === best);
  }

  const says = async (router: TestRouter, fields: object, path = '/v1/chat/completions') =>
    selectedOf(await complete(router, { model: ALIAS, ...fields }, { headers: HEADERS, path }));

  test('STK-42: a conversation keeps its model as it grows, a new one goes to whoever has room', async () => {
    const router = await start();
    expect(await says(router, { messages: FIRST })).toBe(A);
    await rankAnew(router, B, A, C);
    expect(await says(router, { messages: [SYSTEM, user('Two')] })).toBe(B);
    expect(await says(router, { messages: [...FIRST, answer, user('More')], stream: true })).toBe(A);
    expect(await says(router, { prompt: 'Three' }, '/v1/completions')).toBe(B);
    await rankAnew(router, C, A, B);
    expect(await says(router, { messages: [...FIRST, answer, user('More'), answer, user('Still')] })).toBe(A);
    expect(await says(router, { messages: [SYSTEM, user('Two'), answer, user('One')] })).toBe(B);
    expect(await says(router, { prompt: 'Three' }, '/v1/completions')).toBe(B);
    expect(await says(router, { prompt: 'Four' }, '/v1/completions')).toBe(C);
  });

  test('STK-42: a first message of megabytes, sent in many pieces, is still the same conversation', async () => {
    const router = await start();
    const picture = {
      type: 'image_url',
      image_url: { url: `data:image/png;base64,${'A'.repeat(2_000_000)}` },
    };
    const first = { role: 'user', content: [{ type: 'text', text: 'What is this?' }, picture] };
    expect(await says(router, { messages: [first] })).toBe(A);
    await rankAnew(router, B, A, C);
    expect(await says(router, { messages: [first, answer, user('More')] })).toBe(A);
    expect(await says(router, { messages: [{ ...first, name: 'x' }, answer, user('More')] })).toBe(B);
  });

  test.each(['client', 'conversation'])(
    'STK-45: with the scope %s a session in the body has a pin of its own',
    async (scope) => {
      const router = await start({ STICKY_SCOPE: scope });
      expect(await says(router, { messages: FIRST, prompt_cache_key: 's' })).toBe(A);
      await rankAnew(router, B, A, C);
      expect(await says(router, { messages: [user('Other')], metadata: { user_id: 's' } })).toBe(A);
      expect(await says(router, { messages: FIRST, conversation: { id: 't' } })).toBe(B);
      const named = { ...HEADERS, SESSION_ID: 's' };
      const body = { model: ALIAS, messages: [user('Third')], session_id: 'u' };
      expect(selectedOf(await complete(router, body, { headers: named }))).toBe(A);
    },
  );

  /** Waits until the pin of a conversation on a list has failed back. */
  async function hasFailedBack(router: TestRouter, messages: readonly object[]): Promise<void> {
    await eventually(async () => (await pinOf(router, messages))?.applies === false);
  }

  async function pinOf(router: TestRouter, messages: readonly object[]) {
    const headers = { ...HEADERS, 'x-chutes-autopilot-dry-run': 'true' };
    const { text } = await complete(router, { model: LIST, messages }, { headers });
    return (JSON.parse(text) as { pin: { model: string; applies: boolean } | null }).pin;
  }

  test.each(['client', 'conversation'])(
    'STK-46: with the scope %s the model stays between a call and its result, whatever failback says',
    async (scope) => {
      const router = await start({ STICKY_SCOPE: scope, STICKY_FAILBACK_SECS: '1' });
      const agent = new Caller(chutes, router, HEADERS);
      const asks = async (...messages: readonly object[]) => selectedOf(await agent.ask(LIST, { messages }));
      chutes.behave(A, 'unavailable', { times: 1 });
      expect(await asks(...FIRST)).toBe(B);
      await hasFailedBack(router, FIRST);
      expect(await asks(...FIRST, CALL, RESULT)).toBe(B);
      expect(await asks(...FIRST, CALL, RESULT, CALL, RESULT)).toBe(B);
      // What needs no result goes by the client's own order again.
      expect(await asks(...FIRST, CALL, RESULT, CALL, RESULT, answer, user('Thanks'))).toBe(A);
      expect(await asks(...FIRST, CALL, RESULT)).toBe(A);
    },
  );

  test('STK-46: a failure, and a need that the pinned model does not meet, still come first', async () => {
    chutes.models = [{ id: A }, { id: B, input_modalities: ['text'] }, { id: C }];
    const router = await start({ STICKY_FAILBACK_SECS: '1' });
    chutes.models = [A, B, C].map((id) => ({ id }));
    const agent = new Caller(chutes, router, HEADERS);
    const asks = async (...messages: readonly object[]) => selectedOf(await agent.ask(LIST, { messages }));
    chutes.behave(A, 'unavailable', { times: 1 });
    expect(await asks(...FIRST)).toBe(B);
    const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
    expect(await asks(...FIRST, CALL, { ...RESULT, content: [picture] })).toBe(A);

    chutes.behave(A, 'unavailable', { times: 1 });
    expect(await asks(user('Other'))).toBe(B);
    chutes.behave(B, 'unavailable', { times: 1 });
    expect(await asks(user('Other'), CALL, RESULT)).toBe(A);
  });

  test('STK-46: a dry run tells whether the pin is followed', async () => {
    const router = await start({ STICKY_FAILBACK_SECS: '1' });
    chutes.behave(A, 'unavailable', { times: 1 });
    await new Caller(chutes, router, HEADERS).ask(LIST, { messages: FIRST });
    await hasFailedBack(router, [...FIRST, answer, user('More')]);
    expect(await pinOf(router, [...FIRST, CALL, RESULT])).toEqual({ model: B, applies: true });
    expect(await pinOf(router, [user('Other'), CALL, RESULT])).toBeNull();
  });
});

function ranked(...models: readonly string[]): object[] {
  return models.map((name, i) => ({ name, active_instance_count: 10 - i, utilization_current: 0 }));
}
