import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { ask, complete, errorOf, selectedOf } from './support/ask.js';
import { arrived, Caller } from './support/caller.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';

const ALIAS = 'chutesai/AutoPilot';
/** In the catalog, the best ranked first; the last one is idle. */
const MODELS = ['a/first-TEE', 'b/second', 'c/third-TEE', 'd/idle'];
const [FIRST = '', SECOND = '', THIRD = '', IDLE = ''] = MODELS;

/** So that a test may change them for the router that it starts itself. */
const FEEDS_ONCE = { UTILIZATION_REFRESH_MS: '3600000', MODELS_REFRESH_MS: '3600000' };

let chutes: ChutesSimulator;
let router: TestRouter;
const others: TestRouter[] = [];

const ROWS = [
  row(SECOND, 5),
  row(IDLE, 0),
  row('x/not-in-the-catalog-TEE', 50),
  row(THIRD, 1),
  row('[private chute]', 90),
  row(FIRST, 20),
];

beforeAll(async () => {
  chutes = await ChutesSimulator.start({ simModels: false });
  giveFeeds();
  router = await startRouter(chutes, FEEDS_ONCE);
});

afterAll(async () => {
  await router.close();
  await chutes.close();
});

afterEach(async () => {
  chutes.reset();
  giveFeeds();
  await Promise.all(others.splice(0).map((other) => other.close()));
});

describe('what is refused', () => {
  test.each([
    ['SEL-1', 'a value over 8 KiB', `${FIRST},`.repeat(683), 'invalid_model'],
    ['SEL-2', 'a direct model over 256 bytes', 'sesam'.repeat(52), 'invalid_model'],
    ['SEL-2', 'an item over 256 bytes', `${FIRST},${'é'.repeat(129)}`, 'invalid_model'],
    ['SEL-3', 'a lone surrogate', 'sesam\ud800', 'invalid_model'],
    ['SEL-5', 'a long item before an unknown one', `nobody,${'x'.repeat(257)}`, 'invalid_model'],
    ['SEL-8', 'a list without items', ' , ,', 'invalid_model_list'],
    ['SEL-9', 'nine items', 'a,b,c,d,e,f,g,h,i', 'invalid_model_list'],
    ['SEL-14', 'an unknown model', 'zebra', 'unknown_model'],
    ['SEL-14', 'an unknown item', `${FIRST},zebra`, 'unknown_model'],
    ['SEL-14', 'an unknown item beside an alias', `${ALIAS},zebra`, 'unknown_model'],
  ])('%s: %s', async (_clause, _, model, code) => {
    const before = chutes.count();
    const answer = await complete(router, { model });
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ type: 'invalid_request_error', param: 'model', code });
    expect(answer.headers.has('x-chutes-autopilot-attempts')).toBe(false);
    expect((await complete(router, { model: FIRST })).status).toBe(200);
    await arrived(chutes, 1);
    expect(chutes.count()).toBe(before + 1);
  });

  test.each(['sesam'.repeat(52), `b,${'sesam'.repeat(52)}`, 'sesam\ud800', 'sesam,'.repeat(2_000)])(
    'SEL-4: the message does not repeat the value: %#',
    async (model) => {
      const answer = await complete(router, { model });
      expect(errorOf(answer).code).toBe('invalid_model');
      expect(answer.text).not.toContain('sesam');
    },
  );

  test('SEL-16, SEL-17: the message names what is unknown and what may be meant', async () => {
    const { message } = errorOf(await complete(router, { model: `${FIRST},b/secnod,zebra` }));
    expect(message).toContain('b/secnod');
    expect(message).toContain(SECOND);
    expect(message).toContain('zebra');
    expect(message).not.toContain(FIRST);
  });
});

describe('what was meant', () => {
  test.each(['chutesai/autopilot', 'AutoPilot', 'chutesai/AutoPilo', `${SECOND},chutesai/autopilot`])(
    'SEL-17: %s suggests the alias',
    async (model) => {
      const { message } = errorOf(await complete(router, { model }));
      expect(message).toContain(`(did you mean "${ALIAS}"?)`);
    },
  );

  test('SEL-22: a name that nothing is close to is told the aliases and where all names are', async () => {
    const { message } = errorOf(await complete(router, { model: 'gpt-4o' }));
    expect(message).toContain(`"${ALIAS}"`);
    expect(message).toContain('GET /v1/models');
  });
});

describe('the order', () => {
  // Where all of them fail, every candidate gets its turn.
  test.each([
    ['SEL-6', 'an alias is the ranked models', ALIAS, [FIRST, SECOND, THIRD]],
    ['SEL-6', 'so is the other alias', 'chutesai-routing/AutoPilot', [FIRST, SECOND, THIRD]],
    ['SEL-10', 'a list keeps the client’s order', `${THIRD}, ${IDLE},${FIRST}`, [THIRD, IDLE, FIRST]],
    ['SEL-7', 'repeated and empty items do not count', `${THIRD},,${FIRST}, ${THIRD},`, [THIRD, FIRST]],
    ['SEL-11', 'an alias stands for the ranked models', `${IDLE},${ALIAS}`, [IDLE, FIRST, SECOND, THIRD]],
    ['SEL-12', 'before it', `${SECOND},${ALIAS}`, [SECOND, FIRST, THIRD]],
    ['SEL-12', 'behind it', `${ALIAS},${SECOND},${IDLE}`, [FIRST, SECOND, THIRD, IDLE]],
    ['SEL-15', 'a suffix goes upstream', `${SECOND}:latency,${FIRST}`, [`${SECOND}:latency`, FIRST]],
    ['SEL-20', 'TEE and not', `${SECOND},${FIRST}`, [SECOND, FIRST]],
  ])('%s: %s', async (_clause, _, model, order) => {
    chutes.behave('*', 'unavailable');
    expect((await complete(router, { model })).status).toBe(503);
    expect(await arrived(chutes, order.length)).toEqual(order);
  });

  test('SEL-9: eight items are accepted, repeated ones counted once', async () => {
    chutes.behave('*', 'unavailable');
    const items = ['q', 'r', 's', 't', 'u', 'v', 'w', 'x'].map((suffix) => `${FIRST}:${suffix}`);
    expect((await complete(router, { model: [...items, ...items].join(',') })).status).toBe(503);
    expect(await arrived(chutes, 8)).toEqual(items);
  });

  test('SEL-9: how many are accepted can be set', async () => {
    const two = await startOther({ MAX_MODEL_LIST_ITEMS: '2' });
    expect((await complete(two, { model: `${FIRST},${SECOND}` })).status).toBe(200);
    await arrived(chutes, 1);
    const answer = await complete(two, { model: `${FIRST},${SECOND},${THIRD}` });
    expect(errorOf(answer).code).toBe('invalid_model_list');
  });

  test.each([IDLE, `${FIRST}:latency`])(
    'SEL-13, SEL-15: the direct model %s gets one attempt and keeps its failure',
    async (model) => {
      chutes.behave('*', 'bad-gateway');
      const answer = await complete(router, { model });
      expect(answer.status).toBe(502);
      expect(answer.text).toContain('nginx');
      expect(await arrived(chutes, 1)).toEqual([model]);
      // Had there been a second attempt, the next request would not be the next to arrive.
      chutes.behave('*', 'normal', { times: 0 });
      await complete(router, { model: SECOND });
      expect(await arrived(chutes, 1)).toEqual([SECOND]);
    },
  );

  test('SEL-13: a direct answer is no pin, neither one that is followed nor one that takes room', async () => {
    const caller = new Caller(chutes, await startOther({ STICKY_MAX_ENTRIES: '1' }), {});
    await caller.pinToSecond(`${FIRST},${SECOND}`);
    expect((await caller.ask(THIRD)).status).toBe(200);
    expect(await arrived(chutes, 1)).toEqual([THIRD]);
    expect(await caller.tries(`${FIRST},${SECOND}`)).toEqual([SECOND]);
    expect(await caller.tries(ALIAS)).toEqual([FIRST]);
  });
});

describe('other worlds', () => {
  test('SEL-18: with lenient validation the upstream decides', async () => {
    const lenient = await startOther({ MODEL_VALIDATION: 'lenient' });
    const answer = await complete(lenient, { model: 'zebra' });
    expect([answer.status, answer.text]).toEqual([404, '{"detail":"model not found: zebra"}']);
    expect((await complete(lenient, { model: `zebra,${FIRST}` })).status).toBe(200);
    expect(await arrived(chutes, 3)).toEqual(['zebra', 'zebra', FIRST]);
  });

  test('SEL-18, SEL-6: while no catalog was loaded the upstream decides, and an alias is the busy TEE models', async () => {
    chutes.feed('models', 'error');
    const early = await startOther({}, { awaitReady: false });
    await eventually(async () => (await ask(early, '/metrics')).text.includes('ready_candidates 3\n'));
    expect((await complete(early, { model: 'zebra' })).status).toBe(404);
    expect(await arrived(chutes, 1)).toEqual(['zebra']);
    chutes.behave('*', 'unavailable');
    expect((await complete(early, { model: ALIAS })).status).toBe(503);
    expect(await arrived(chutes, 3)).toEqual(['x/not-in-the-catalog-TEE', FIRST, THIRD]);
  });

  test('SEL-19: without an eligible model an alias is no_candidates, a list with a model is not', async () => {
    chutes.utilization = MODELS.map((name) => row(name, 0));
    const idle = await startOther({}, { awaitReady: false });
    await eventually(async () => (await ask(idle, '/readyz')).text.includes('no_candidates'));
    chutes.utilization = ROWS;

    const answer = await complete(idle, { model: ALIAS });
    expect(answer.status).toBe(503);
    expect(errorOf(answer)).toMatchObject({ type: 'server_error', param: null, code: 'no_candidates' });
    expect(selectedOf(await complete(idle, { model: `${ALIAS},${SECOND}` }))).toBe(SECOND);
    expect(await arrived(chutes, 1)).toEqual([SECOND]);
  });
});

function giveFeeds(): void {
  chutes.models = [THIRD, IDLE, FIRST, SECOND];
  chutes.utilization = ROWS;
}

async function startOther(env: Env, options?: { awaitReady: boolean }): Promise<TestRouter> {
  const other = await startRouter(chutes, { ...FEEDS_ONCE, ...env }, options);
  others.push(other);
  return other;
}

function row(name: string, instances: number): unknown {
  return { name, active_instance_count: instances, utilization_current: 0.5 };
}
