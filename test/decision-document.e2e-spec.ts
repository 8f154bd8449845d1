import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { modelEntry } from '../src/simulator/feeds/simulated-models.js';
import { statisticsRow } from '../src/simulator/feeds/simulated-statistics.js';
import { complete } from './support/ask.js';
import { NEVER } from './support/feed-watch.js';
import { eventually, startRouter, type TestRouter } from './support/router.js';

jest.setTimeout(60_000);

/** Can all that is asked for, and is known to. */
const ABLE = {
  pricing: { prompt: 1, completion: 3 },
  supported_features: ['tools', 'reasoning'],
  input_modalities: ['text', 'image'],
  context_length: 32_768,
  confidential_compute: true,
};
const CATALOG = [
  modelEntry('m/first', ABLE),
  modelEntry('m/second', { ...ABLE, pricing: { prompt: 2, completion: 2 } }),
  modelEntry('m/failing', ABLE),
  modelEntry('m/vague', { ...ABLE, input_modalities: undefined }),
  modelEntry('m/boundless', { ...ABLE, context_length: undefined, max_model_len: undefined }),
  modelEntry('m/idle', ABLE),
  modelEntry('other/model', ABLE),
  modelEntry('m/dear', { ...ABLE, pricing: { prompt: 50, completion: 50 } }),
  modelEntry('m/toolless', { ...ABLE, supported_features: ['reasoning'] }),
  modelEntry('m/blind', { ...ABLE, input_modalities: ['text'] }),
  modelEntry('m/thoughtless', { ...ABLE, supported_features: ['tools'] }),
  modelEntry('m/narrow', { ...ABLE, context_length: 1_024 }),
  modelEntry('m/open', { ...ABLE, confidential_compute: false }),
];
const ALIAS = 'coder';
const POLICY = { models: ['m/*'], features: ['reasoning'], max_price: { prompt: 10 } };
const ASKED = {
  model: `${ALIAS}:tee`,
  messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }],
  tools: [{ type: 'function', function: { name: 'look' } }],
  max_tokens: 5_000,
};
const CLIENT = { authorization: 'Bearer cpk_decides', 'x-tee-only': 'true' };

let chutes: ChutesSimulator;
let router: TestRouter;

beforeEach(async () => {
  chutes = await ChutesSimulator.start({ simModels: false });
  chutes.models = CATALOG;
  chutes.utilization = CATALOG.map(({ id }, n) => ({
    name: id,
    active_instance_count: id === 'm/idle' ? 0 : 40 - n,
    utilization_5m: 0,
  }));
  chutes.stats = [statisticsRow('m/first', { average_ttft: 0.5, average_tps: 80 })];
  router = await startRouter(chutes, {
    AUTOPILOT_ALIASES: JSON.stringify({ [ALIAS]: POLICY }),
    UTILIZATION_REFRESH_MS: NEVER,
    STATS_URL: `${chutes.url}/invocations/stats/llm`,
    COOLDOWN_FAILURES: '3',
  });
  await eventually(async () => (await decide(ASKED)).feeds['stats'] !== null);
});

afterEach(async () => {
  await router.close();
  await chutes.close();
});

interface Decided {
  readonly [field: string]: unknown;
  readonly feeds: Readonly<Record<string, unknown>>;
}

async function decide(
  body: Readonly<Record<string, unknown>>,
  headers: Record<string, string> = {},
): Promise<Decided> {
  const dry = { 'x-chutes-autopilot-dry-run': 'true', ...headers };
  return JSON.parse((await complete(router, body, { headers: dry })).text) as Decided;
}

const age = expect.any(Number);

test('SEL-36: a decision is this document: every field, every reason, every figure', async () => {
  for (let n = 0; n < 3; n += 1) {
    chutes.behave('m/failing', 'unavailable', { times: 1 });
    await complete(router, { model: 'm/failing', messages: [] });
  }
  chutes.behave('m/first', 'unavailable', { times: 1 });
  await complete(router, ASKED, { headers: CLIENT });

  const decision = await decide(ASKED, { ...CLIENT, 'x-request-id': 'the-id' });
  const rest = { price: 1.5 };
  expect(decision).toEqual({
    object: 'autopilot.decision',
    id: 'the-id',
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    mode: 'alias',
    alias: ALIAS,
    sort: 'capacity',
    variants: ['tee'],
    needs: {
      tools: true,
      image: true,
      tee: true,
      prompt_bytes: expect.any(Number),
      answer_tokens: 5_000,
      features: ['reasoning'],
    },
    pin: { model: 'm/second', applies: true },
    candidates: [
      { model: 'm/second', why: 'pinned', score: 39, price: 2 },
      { model: 'm/first', why: 'ranked', score: 40, ttft_s: 0.5, tps: 80, ...rest },
      { model: 'm/vague', why: 'unknown_image', score: 37, ...rest },
      { model: 'm/boundless', why: 'unknown_context', score: 36, ...rest },
      { model: 'm/failing', why: 'cooling', score: 38, ...rest },
    ],
    excluded: [
      { model: 'm/toolless', why: 'lacks_tools' },
      { model: 'm/blind', why: 'lacks_image' },
      { model: 'm/thoughtless', why: 'lacks_reasoning' },
      { model: 'm/narrow', why: 'context_too_small' },
      { model: 'm/open', why: 'not_confidential' },
      { model: 'm/dear', why: 'over_price' },
      { model: 'm/idle', why: 'no_instance' },
      { model: 'other/model', why: 'not_in_pool' },
    ].toSorted(byCatalog),
    feeds: { models: age, utilization: age, stats: age },
  });
});

test('SEL-36: in list mode what is left out is an item, in direct mode nothing is', async () => {
  const body = { ...ASKED, model: 'm/blind,m/first' };
  expect(await decide(body)).toMatchObject({
    mode: 'list',
    pin: null,
    candidates: [{ model: 'm/first', why: 'listed' }],
    excluded: [{ model: 'm/blind', why: 'lacks_image' }],
  });
  const direct = await decide({ ...ASKED, model: 'm/blind' });
  expect(direct).toMatchObject({
    mode: 'direct',
    candidates: [{ model: 'm/blind', why: 'direct' }],
    excluded: [],
  });
  expect(Object.keys(direct)).not.toContain('alias');
});

const placeOf = (model: string) => CATALOG.findIndex(({ id }) => id === model);

function byCatalog({ model: a }: { model: string }, { model: b }: { model: string }): number {
  return placeOf(a) - placeOf(b);
}
