import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { complete } from '../../../test/support/ask.js';
import { ChutesSimulator } from '../chutes-simulator.js';
import type { ModelEntry } from '../feeds/simulated-models.js';

const MODEL = 'Qwen/Qwen3-32B';
let simulator: ChutesSimulator;

beforeEach(async () => {
  simulator = await ChutesSimulator.start();
});

afterEach(async () => simulator.close());

async function statusOf(model: string): Promise<number> {
  return (await complete(simulator, { model })).status;
}

describe('misbehaving on request', () => {
  test('SIM-18: one model, for good, until reset', async () => {
    simulator.behave(MODEL, 'unavailable');
    expect([await statusOf(MODEL), await statusOf(MODEL), await statusOf('sim/normal')]).toEqual([
      503, 503, 200,
    ]);
    simulator.reset();
    expect(await statusOf(MODEL)).toBe(200);
  });

  test('SIM-18: for a number of requests, also a model that is not in the catalog', async () => {
    simulator.behave(MODEL, 'unavailable', { times: 1 });
    expect([await statusOf(MODEL), await statusOf(MODEL)]).toEqual([503, 200]);
    simulator.behave('no/where', 'normal');
    expect(await statusOf('no/where')).toBe(200);
  });

  test("SIM-18: also where its id is spelled in Chutes' own way", async () => {
    simulator.behave(MODEL, 'unavailable');
    expect(await statusOf(`${MODEL}:latency`)).toBe(503);
  });

  test('SIM-18: all models but those with a behaviour of their own', async () => {
    simulator.behave('*', 'unavailable');
    simulator.behave(MODEL, 'payment-required');
    expect([await statusOf(MODEL), await statusOf('sim/normal'), await statusOf('x')]).toEqual([
      402, 503, 503,
    ]);
  });

  test('SIM-19: sim/ ids end the model list, have no utilization, and work without being told', async () => {
    const ids = (simulator.models as readonly ModelEntry[]).map(({ id }) => id);
    const first = ids.findIndex((id) => id.startsWith('sim/'));
    expect(first).toBeGreaterThan(50);
    expect(ids.slice(first).every((id) => id.startsWith('sim/'))).toBe(true);
    expect(ids).toEqual(
      expect.arrayContaining(['sim/unavailable', 'sim/rate-limited', 'sim/silent', 'sim/reset']),
    );
    expect(simulator.utilization).not.toContainEqual(
      expect.objectContaining({ name: expect.stringMatching(/^sim\//) }),
    );
    simulator.models = [];
    expect(await statusOf('sim/unavailable')).toBe(503);
  });

  test('SIM-19: the list can do without them', async () => {
    const plain = await ChutesSimulator.start({ simModels: false });
    expect(plain.models.length).toBe(61);
    await plain.close();
  });
});
