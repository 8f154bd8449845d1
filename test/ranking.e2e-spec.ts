import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { utilizationRow } from '../src/simulator/feeds/simulated-utilization.js';
import { complete, errorOf } from './support/ask.js';
import { chutesWith } from './support/chutes-with.js';
import { chosenBy, RESTLESS } from './support/feed-watch.js';
import { metricsOf } from './support/metrics.js';
import { eventually, startRouter, type TestRouter } from './support/router.js';

jest.setTimeout(60_000);

const MODELS = (JSON.parse(readFileSync('testdata/models.json', 'utf8')) as { data: { id: string }[] }).data;
const ROWS = JSON.parse(readFileSync('testdata/utilization.json', 'utf8')) as unknown[];

let chutes: ChutesSimulator;
let router: TestRouter | undefined;

beforeEach(async () => {
  chutes = await chutesWith(MODELS, { utilization: ROWS });
});

afterEach(async () => {
  await router?.close();
  router = undefined;
  await chutes.close();
});

/** The models that an alias request tries, in order, when none of them answers. */
async function triedBy(own: TestRouter): Promise<readonly (string | undefined)[]> {
  const before = chutes.generations.length;
  chutes.behave('*', 'unavailable');
  await complete(own, { model: 'chutesai/AutoPilot', messages: [] });
  chutes.behave('*', 'normal');
  return chutes.generations.slice(before).map(({ model }) => model);
}

async function candidatesAre(own: TestRouter, count: number): Promise<void> {
  await eventually(async () => (await metricsOf(own)).value('ready_candidates') === count);
}

describe('the order in which an alias tries the models of the sample feeds', () => {
  const env = { MAX_UPSTREAM_ATTEMPTS: '100' };

  it('RNK-12, RNK-14: with both feeds', async () => {
    router = await startRouter(chutes, env);
    expect(await triedBy(router)).toEqual([
      'Qwen/Qwen3-32B', // 20 · (1 − 0.225) = 15.5
      'deepseek-ai/DeepSeek-V3.2-TEE', // 12 · (1 − 0.425) + 3 · 0.05 = 7.05
      'openai/gpt-oss-20b', // 6 · (1 − 0.05) = 5.7
      'zai-org/GLM-4.7-TEE', // 12 · (1 − 0.66) − 2 · 12 · 0.01 = 3.84
      'deepseek-ai/DeepSeek-R1-0528-TEE', // the less busy of its rows: 4 · (1 − 0.5) = 2
      'NousResearch/Hermes-4.3-36B', // nothing is known: 0
      'moonshotai/Kimi-K2.5-TEE', // used above 1: 8 · 0.05 − 2 · 6 · 0.25 = −2.6
    ]);
  });

  it('RNK-4: without the model list, only what ends in -TEE', async () => {
    chutes.feed('models', 'error');
    router = await startRouter(chutes, env, { awaitReady: false });
    await candidatesAre(router, 5);
    expect(await triedBy(router)).toEqual([
      'deepseek-ai/DeepSeek-V3.2-TEE',
      'openai/gpt-oss-120b-TEE', // 8 · (1 − 0.245) = 6.04
      'zai-org/GLM-4.7-TEE',
      'deepseek-ai/DeepSeek-R1-0528-TEE',
      'moonshotai/Kimi-K2.5-TEE',
    ]);
  });

  it('RNK-5: without utilization, the model list in its own order', async () => {
    chutes.feed('utilization', 'error');
    router = await startRouter(chutes, env, { awaitReady: false });
    await candidatesAre(router, MODELS.length);
    expect(await triedBy(router)).toEqual(MODELS.map(({ id }) => id));
  });

  it('RNK-13: whatever order the rows come in', async () => {
    router = await startRouter(chutes, { ...env, ...RESTLESS });
    const before = await triedBy(router);
    // A last row shows that the new feed is in use.
    chutes.utilization = [
      ...ROWS.toReversed(),
      { name: 'unsloth/Mistral-Nemo-Instruct-2407', active_instance_count: 1 },
    ];
    await candidatesAre(router, before.length + 1);
    const after = await triedBy(router);
    expect(after.filter((model) => model !== 'unsloth/Mistral-Nemo-Instruct-2407')).toEqual(before);
  });
});

async function becomes(own: TestRouter, model: string): Promise<void> {
  await eventually(async () => (await chosenBy(own)) === model);
}

describe('who is chosen', () => {
  it('RNK-10: whoever has the most free capacity at the moment', async () => {
    chutes.models = ['a/one', 'b/two'];
    chutes.utilization = [row('a/one', 10), row('b/two', 5)];
    router = await startRouter(chutes, RESTLESS);
    expect(await chosenBy(router)).toBe('a/one');
    chutes.utilization = [row('a/one', 10, { utilization_5m: 0.9 }), row('b/two', 5)];
    await becomes(router, 'b/two');
    chutes.utilization = [row('a/one', 10), row('b/two', 5)];
    await becomes(router, 'a/one');
    chutes.utilization = [row('a/one', 10, { rate_limit_ratio_5m: 0.5 }), row('b/two', 5)];
    await becomes(router, 'b/two');
  });

  it('RNK-3: a model that comes onto the list, and one that leaves it', async () => {
    chutes.models = ['a/one', 'b/two-TEE'];
    chutes.utilization = [row('a/one', 10), row('b/two-TEE', 5), row('c/three-TEE', 20)];
    router = await startRouter(chutes, RESTLESS);
    expect(await chosenBy(router)).toBe('a/one');
    chutes.models = ['a/one', 'b/two-TEE', 'c/three-TEE'];
    await becomes(router, 'c/three-TEE');
    chutes.models = ['b/two-TEE'];
    await becomes(router, 'b/two-TEE');
  });

  it('RNK-1, RNK-2: nobody where every model is private or idle', async () => {
    chutes.models = ['a/one', 'b/two'];
    chutes.utilization = [row('[private chute]', 9), row('a/one', 0)];
    router = await startRouter(chutes, {}, { awaitReady: false });
    const { url } = router;
    await eventually(async () => (await metricsOf({ url })).value('ready_snapshot_age_ms') >= 0);
    await eventually(async () => (await metricsOf({ url })).value('ready_allowlist_age_ms') >= 0);
    const answer = await complete(router, { model: 'chutesai/AutoPilot', messages: [] });
    expect([answer.status, errorOf(answer).code]).toEqual([503, 'no_candidates']);
    expect(chutes.generations).toEqual([]);
  });
});

function row(name: string, instances: number, fields: Parameters<typeof utilizationRow>[1] = {}): unknown {
  return utilizationRow(name, {
    active_instance_count: instances,
    utilization_5m: 0.1,
    utilization_15m: 0.1,
    utilization_1h: 0.1,
    rate_limit_ratio_5m: 0,
    rate_limit_ratio_15m: 0,
    rate_limit_ratio_1h: 0,
    scalable: false,
    ...fields,
  });
}
