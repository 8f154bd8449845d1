import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { startRouter, type TestRouter } from './support/router.js';

let simulator: ChutesSimulator;
let router: TestRouter;
beforeEach(async () => {
  simulator = await ChutesSimulator.start();
  // Of what takes any length.
  simulator.models = [{ id: 'first/model' }, { id: 'second/model' }];
  simulator.utilization = ['first/model', 'second/model'];
  router = await startRouter(simulator);
});
afterEach(async () => {
  await router.close();
  await simulator.close();
});

test.each([
  ['first', (model: string, filler: string) => `{"model":"${model}", "messages":[], "x":"${filler}"}`],
  ['last', (model: string, filler: string) => `{"messages":[], "x":"${filler}","model" : "${model}"}`],
])('REQ-12, ATT-10: a megabyte reaches each candidate whole, model %s', async (_, spell) => {
  simulator.behave('first/model', 'unavailable');
  const filler = 'ü'.repeat(500_000);
  const body = spell('first/model,second/model', filler);
  const answer = await fetch(`${router.url}/v1/chat/completions`, { method: 'POST', body });
  expect(answer.status).toBe(200);
  await answer.arrayBuffer();

  const [first, second] = simulator.generations;
  expect(first?.body.equals(Buffer.from(spell('first/model', filler)))).toBe(true);
  expect(second?.body.equals(Buffer.from(spell('second/model', filler)))).toBe(true);
  expect(second?.headers['content-length']).toBe(String(second?.body.length));
  expect(second?.headers['transfer-encoding']).toBeUndefined();
});
