import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { type Answer, complete, selectedOf } from './support/ask.js';
import { metricsOf } from './support/metrics.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';

// Takes some seconds where the machine is busy.
jest.setTimeout(60_000);

const ALIAS = 'chutesai/AutoPilot';
const [A, B, C] = ['m/a', 'm/b', 'm/c'] as const;
const LIST = `${A},${B},${C}`;

let chutes: ChutesSimulator;
let router: TestRouter;
let clients = 0;

beforeAll(async () => {
  chutes = await ChutesSimulator.start({ simModels: false });
  chutes.models = [A, B, C];
  chutes.utilization = [A, B, C].map((name, place) => ({ name, active_instance_count: 9 - place }));
});

afterEach(async () => {
  await router.close();
  for (const model of [A, B, C]) chutes.behave(model, 'normal', { times: 0 });
});

afterAll(async () => {
  await chutes.close();
});

async function start(env: Env = {}): Promise<void> {
  router = await startRouter(chutes, { COOLDOWN_FAILURES: '3', COOLDOWN_MS: '600000', ...env });
}

/** What a client that is always the same is answered, and by whom. */
function newClient(): { ask: (model: string, fields?: object) => Promise<readonly [number, string | null]> } {
  clients += 1;
  const headers = { authorization: `Bearer cpk_full_${clients}` };
  return {
    async ask(model, fields = {}) {
      const answer: Answer = await complete(router, { model, ...fields }, { headers });
      return [answer.status, selectedOf(answer)];
    },
  };
}

describe('a model that says that it is full', () => {
  test.each([ALIAS, LIST])('CDN-8: the client’s own retry lands elsewhere, asked for %s', async (model) => {
    await start();
    const [one, other] = [newClient(), newClient()];
    chutes.behave(A, 'at-capacity', { times: 1 });
    expect(await one.ask(model)).toEqual([429, A]);
    expect(await one.ask(model)).toEqual([200, B]);
    expect(await other.ask(model)).toEqual([200, A]);
    // Another value of the model is another conversation.
    expect(await one.ask(`${A},${C}`)).toEqual([200, A]);
  });

  test('CDN-8: loses the pin on it', async () => {
    await start();
    const one = newClient();
    for (const model of [A, B]) chutes.behave(model, 'unavailable', { times: 1 });
    expect(await one.ask(LIST)).toEqual([200, C]);
    chutes.behave(C, 'at-capacity', { times: 1 });
    expect(await one.ask(LIST)).toEqual([429, C]);
    expect(await one.ask(LIST)).toEqual([200, A]);
  });

  test('CDN-8: comes after one that cools, and where all are full their order is the decided one', async () => {
    await start();
    const one = newClient();
    chutes.behave(B, 'unavailable', { times: 3 });
    for (let n = 0; n < 3; n += 1) await newClient().ask(B);
    chutes.behave(A, 'at-capacity', { times: 1 });
    expect(await one.ask(`${A},${B}`)).toEqual([429, A]);
    chutes.behave(B, 'unauthorized', { times: 1 });
    expect(await one.ask(`${A},${B}`)).toEqual([401, B]);
    const two = newClient();
    for (const model of [A, C]) {
      chutes.behave(model, 'at-capacity', { times: 1 });
      expect(await two.ask(`${A},${C},${B}`)).toEqual([429, model]);
    }
    expect(await two.ask(`${A},${C},${B}`)).toEqual([200, B]);
  });

  test('CDN-8: so does one that is passed over with FAILOVER_ON_CAPACITY', async () => {
    await start({ FAILOVER_ON_CAPACITY: 'true' });
    const one = newClient();
    chutes.behave(A, 'at-capacity', { times: 1 });
    expect(await one.ask(ALIAS)).toEqual([200, B]);
    expect(await one.ask(ALIAS)).toEqual([200, B]);
  });

  test('CDN-8: for its time', async () => {
    await start({ CAPACITY_AVOID_SECS: '1', STICKY_FAILBACK_SECS: '1' });
    const one = newClient();
    chutes.behave(A, 'at-capacity', { times: 1 });
    expect(await one.ask(`${A},${B}`)).toEqual([429, A]);
    await eventually(async () => (await one.ask(`${A},${B}`))[1] === A);
  });

  test('CDN-5, CDN-8: never counts for other clients, however many it tells', async () => {
    await start();
    chutes.behave(A, 'at-capacity', { times: 100 });
    for (let n = 0; n < 100; n += 1) expect(await newClient().ask(ALIAS)).toEqual([429, A]);
    expect(await newClient().ask(ALIAS)).toEqual([200, A]);
    expect((await metricsOf(router)).by('model', 'cooldowns_total')).toEqual({});
  });

  test.each([{ CAPACITY_AVOID_SECS: '0' }, { STICKY_TTL_SECS: '0' }, { STICKY_MAX_ENTRIES: '0' }])(
    'CDN-9, CDN-12: changes nothing with %j',
    async (env) => {
      await start(env);
      const one = newClient();
      chutes.behave(A, 'at-capacity', { times: 2 });
      expect(await one.ask(ALIAS)).toEqual([429, A]);
      expect(await one.ask(ALIAS)).toEqual([429, A]);
    },
  );

  test('CDN-11: a decision says so, and the pin on it does not apply', async () => {
    await start();
    const headers = { authorization: 'Bearer cpk_asks' };
    const ask = async (more = {}) => complete(router, { model: ALIAS }, { headers: { ...headers, ...more } });
    chutes.behave(A, 'at-capacity', { times: 1 });
    expect((await ask()).status).toBe(429);
    for (let n = 0; n < 2; n += 1) {
      const decision = JSON.parse((await ask({ 'x-chutes-autopilot-dry-run': 'true' })).text) as {
        pin: unknown;
        candidates: { model: string; why: string }[];
      };
      expect(decision.pin).toBeNull();
      expect(decision.candidates.map(({ model, why }) => `${model} ${why}`)).toEqual([
        `${B} ranked`,
        `${C} ranked`,
        `${A} avoided`,
      ]);
    }
  });
});
