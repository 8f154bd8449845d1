import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import type { Exchange } from '../src/simulator/exchange.js';
import { arrived, Caller } from './support/caller.js';
import { chutesWith } from './support/chutes-with.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';

// Takes some seconds where the machine is busy.
jest.setTimeout(60_000);

const ALIAS = 'chutesai/AutoPilot';
const [A, B, C] = ['m/a', 'm/b', 'm/c'] as const;
const LIST = `${A},${B},${C}`;

let chutes: ChutesSimulator;
let router: TestRouter;
const others: TestRouter[] = [];
let callers = 0;

beforeAll(async () => {
  chutes = await chutesWith([A, B, C], { utilization: ranked(A, B, C) });
  router = await startRouter(chutes, { UTILIZATION_REFRESH_MS: '20' });
});

afterAll(async () => {
  await router.close();
  await chutes.close();
});

afterEach(async () => {
  for (const model of [A, B, C]) chutes.behave(model, 'normal', { times: 0 });
  await Promise.all(others.splice(0).map((other) => other.close()));
});

describe('pins', () => {
  test('STK-1: an alias stays on the model that answered, while it is among the candidates', async () => {
    const regular = newCaller();
    expect(await regular.tries(ALIAS)).toEqual([A]);
    await rankAnew(B, A, C);
    expect(await regular.tries(ALIAS)).toEqual([A]);
    await rankAnew(C, B);
    expect(await regular.tries(ALIAS)).toEqual([C]);
    await rankAnew(A, B, C);
    expect(await regular.tries(ALIAS)).toEqual([C]);
  });

  test('STK-1, STK-2: a list begins with the pinned model, the others keep their order', async () => {
    const caller = newCaller();
    chutes.behave(A, 'unavailable', { times: 1 });
    chutes.behave(B, 'unavailable', { times: 1 });
    expect(await caller.tries(LIST)).toEqual([A, B, C]);
    expect(await caller.tries(LIST)).toEqual([C]);
    for (const model of [A, B, C]) chutes.behave(model, 'unavailable');
    expect(await caller.tries(LIST)).toEqual([C, A, B]);
  });

  test('STK-3: an alias and each list have pins of their own', async () => {
    const caller = newCaller();
    await caller.pinToSecond(LIST);
    for (const other of [`${A},${B}`, `${A}, ${B},${C}`, `${LIST},`, ALIAS, `${ALIAS},${B}`]) {
      expect(await caller.tries(other)).toEqual([A]);
    }
    expect(await caller.tries(`${C},${B},${A}`)).toEqual([C]);
    expect(await caller.tries(LIST)).toEqual([B]);
  });

  test('STK-4: of forty clients each keeps what is its own', async () => {
    const all = Array.from({ length: 40 }, () => newCaller());
    const lists = all.map((_, i) => [LIST, `${B},${A},${C}`, `${C},${A}`][i % 3] ?? LIST);
    for (const [i, caller] of all.entries()) {
      if (i % 2 === 0) await caller.pinToSecond(lists[i] ?? '');
      else await caller.tries(lists[i] ?? '');
    }
    for (const [i, caller] of all.entries()) {
      const wanted = lists[i]?.split(',')[i % 2 === 0 ? 1 : 0];
      expect(await caller.tries(lists[i] ?? '')).toEqual([wanted]);
    }
  });

  test('STK-5: the pin is set when the answer is chosen: not by its headers, not at its end', async () => {
    const headers = { authorization: 'Bearer cpk_slow' };
    const caller = new Caller(chutes, router, headers);
    const [firstByte, rest] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    chutes.behave(A, 'unavailable', { times: 1 });
    const script = async (exchange: Exchange): Promise<void> => {
      await exchange.head(200, { 'content-type': 'text/event-stream' });
      await firstByte.promise;
      await exchange.event('{}');
      await rest.promise;
    };
    chutes.behave(B, { kind: 'scripted', script }, { times: 1 });
    const body = JSON.stringify({ model: LIST, stream: true });
    const slow = fetch(`${router.url}/v1/chat/completions`, { method: 'POST', headers, body });
    expect(await arrived(chutes, 2)).toEqual([A, B]);
    expect(await caller.tries(LIST)).toEqual([A]);

    firstByte.resolve();
    const answer = await slow;
    expect(await caller.tries(LIST)).toEqual([B]);
    rest.resolve();
    expect(await answer.text()).toBe('data: {}\n\n');
  });

  test('STK-6: of three clients, two with a pin at most, the least recent one has lost it', async () => {
    const two = await startOther({ STICKY_MAX_ENTRIES: '2' });
    const [first, second, third] = [newCaller(two), newCaller(two), newCaller(two)];
    await first.pinToSecond(LIST);
    await second.pinToSecond(LIST);
    expect(await first.tries(LIST)).toEqual([B]);
    await third.pinToSecond(LIST);
    expect(await third.tries(LIST)).toEqual([B]);
    expect(await first.tries(LIST)).toEqual([B]);
    expect(await second.tries(LIST)).toEqual([A]);
  });

  test.each(['STICKY_TTL_SECS', 'STICKY_MAX_ENTRIES'])('STK-7: 0 for %s turns pins off', async (name) => {
    const caller = newCaller(await startOther({ [name]: '0' }));
    await caller.pinToSecond(LIST);
    expect(await caller.tries(LIST)).toEqual([A]);
  });

  test('STK-22: another process has pins of its own, though it knows the same secret', async () => {
    const secret = { STICKY_HASH_SECRET: 'secret of the tests' };
    const [one, other] = [await startOther(secret), await startOther(secret)];
    const headers = { authorization: 'Bearer cpk_both' };
    await new Caller(chutes, one, headers).pinToSecond(LIST);
    expect(await new Caller(chutes, other, headers).tries(LIST)).toEqual([A]);
    expect(await new Caller(chutes, one, headers).tries(LIST)).toEqual([B]);
  });
});

describe('failback', () => {
  test('STK-19, STK-21: the client’s order wins again though it keeps asking, unless that is off', async () => {
    const off = newCaller(await startOther({ STICKY_FAILBACK_SECS: '0' }));
    const on = newCaller(await startOther({ STICKY_FAILBACK_SECS: '1' }));
    await off.pinToSecond(LIST);
    await on.pinToSecond(LIST);
    await eventually(async () => (await on.tries(LIST))[0] === A);
    expect(await off.tries(LIST)).toEqual([B]);
    // And now it stays there.
    expect(await on.tries(LIST)).toEqual([A]);
  });

  test('STK-48: an alias fails back, too, where a candidate before the one that answered failed', async () => {
    const caller = newCaller(await startOther({ STICKY_FAILBACK_SECS: '1' }));
    chutes.behave(A, 'unavailable', { times: 1 });
    expect(await caller.tries(ALIAS)).toEqual([A, B]);
    await eventually(async () => (await caller.tries(ALIAS))[0] === A);
  });
});

function newCaller(of = router): Caller {
  callers += 1;
  return new Caller(chutes, of, { authorization: `Bearer cpk_${callers}` });
}

async function startOther(env: Env): Promise<TestRouter> {
  const other = await startRouter(chutes, env);
  others.push(other);
  return other;
}

/** Rows that rank the models in this order. */
function ranked(...models: readonly string[]): unknown[] {
  return models.map((name, i) => ({ name, active_instance_count: 100 - i, utilization_current: 0.5 }));
}

/** Changes the ranking, and waits until a newcomer sees it. */
async function rankAnew(...models: readonly string[]): Promise<void> {
  chutes.utilization = ranked(...models);
  await eventually(async () => {
    const tried = await newCaller().tries(ALIAS);
    return tried[0] === models[0];
  });
}
