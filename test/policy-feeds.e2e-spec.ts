import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import type { NamedFeedBehaviour } from '../src/simulator/faults/feed-misbehaviour.js';
import { complete, errorOf, selectedOf } from './support/ask.js';
import { readmeAliases } from './support/example-aliases.js';
import { NEVER, refreshed } from './support/feed-watch.js';
import { CODERS, giveFleet, TEE } from './support/readme-fleet.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';

jest.setTimeout(60_000);

const FEEDS = ['models', 'utilization', 'stats'] as const;
type Feed = (typeof FEEDS)[number];

const CHEAP = [
  'unsloth/Llama-3.2-3B-Instruct',
  'Qwen/Qwen2.5-Coder-32B-Instruct',
  'zai-org/GLM-4.7-Flash',
  'Qwen/Qwen3-Coder-Next',
  'deepseek-ai/DeepSeek-V3.2-TEE',
  'MiniMaxAI/MiniMax-M2.5-TEE',
  'openai/gpt-oss-20b',
];
/** Who may answer for what. */
const POOLS: Readonly<Record<string, readonly string[]>> = {
  coder: Object.keys(CODERS),
  batch: CHEAP,
  chat: TEE,
  'batch:tee': CHEAP.filter((id) => TEE.includes(id)),
  'coder:tee:latency': Object.keys(CODERS).filter((id) => TEE.includes(id)),
  'batch,chat:throughput': [...CHEAP, ...TEE],
};

let chutes: ChutesSimulator;
let router: TestRouter | undefined;

beforeAll(async () => {
  chutes = await ChutesSimulator.start({ simModels: false });
});

beforeEach(() => {
  chutes.reset();
  giveFleet(chutes);
});

afterEach(async () => {
  await router?.close();
  router = undefined;
});

afterAll(async () => {
  await chutes.close();
});

/** A router whose feeds, all but those, have come. @param lacking that it never gets */
async function start(env: Env, ...lacking: readonly Feed[]): Promise<TestRouter> {
  const own = await startRouter(
    chutes,
    {
      AUTOPILOT_ALIASES: readmeAliases(),
      STATS_URL: `${chutes.url}/invocations/stats/llm`,
      STICKY_TTL_SECS: '0',
      MODEL_VALIDATION: 'lenient',
      ...env,
    },
    { awaitReady: false },
  );
  router = own;
  await eventually(async () => {
    const { feeds } = await decisionOf(own, 'any/model');
    return FEEDS.every((feed) => (feeds[feed] !== null) !== lacking.includes(feed));
  });
  return own;
}

async function decisionOf(own: TestRouter, model: string) {
  const headers = { 'x-chutes-autopilot-dry-run': 'true' };
  const { text } = await complete(own, { model, messages: [] }, { headers });
  return JSON.parse(text) as {
    feeds: Record<Feed, number | null>;
    candidates?: readonly { readonly model: string }[];
  };
}

/** Who would be asked for each, in order; `undefined` where nobody would. */
async function orders(own: TestRouter): Promise<readonly (readonly string[] | undefined)[]> {
  const decisions = await Promise.all(Object.keys(POOLS).map((model) => decisionOf(own, model)));
  return decisions.map(({ candidates }) => candidates?.map(({ model }) => model));
}

/** What comes of each: `answered` by one of its pool, the code of an error, or the model that it should not have got. */
async function outcomes(own: TestRouter): Promise<Readonly<Record<string, string | null>>> {
  const found = await Promise.all(
    Object.entries(POOLS).map(async ([model, pool]) => {
      const answer = await complete(own, { model, messages: [] });
      const selected = selectedOf(answer);
      if (answer.status !== 200) return [model, errorOf(answer).code];
      return [model, pool.includes(selected ?? '') ? 'answered' : selected];
    }),
  );
  return Object.fromEntries(found) as Record<string, string | null>;
}

function all(outcome: string): Record<string, string> {
  return Object.fromEntries(Object.keys(POOLS).map((model) => [model, outcome]));
}

const BEHAVIOURS: readonly NamedFeedBehaviour[] = [
  'html',
  'error',
  'empty',
  'truncated',
  'wrong-root',
  'odd-rows',
  'silent',
];

describe.each(FEEDS)('the feed %s', (feed) => {
  test.each(BEHAVIOURS)(
    'POL-21: that turns %s moves no alias, its order or its limits',
    async (behaviour) => {
      const own = await start({
        MODELS_REFRESH_MS: '20',
        UTILIZATION_REFRESH_MS: '20',
        STATS_REFRESH_MS: '20',
        CONTROL_PLANE_TIMEOUT_MS: '1000',
      });
      const before = await orders(own);
      chutes.feed(feed, behaviour);
      await refreshed(own, feed, behaviour === 'odd-rows' ? ['ok'] : ['empty', 'error'], 2);
      expect(await outcomes(own)).toEqual(all('answered'));
      expect(await orders(own)).toEqual(before);
    },
  );
});

describe('a feed that has not come yet', () => {
  const slowly = { MODELS_REFRESH_MS: NEVER, UTILIZATION_REFRESH_MS: NEVER, STATS_REFRESH_MS: NEVER };

  test.each(['stats', 'utilization'] as const)(
    'POL-21: %s: each alias is answered within its limits',
    async (feed) => {
      chutes.feed(feed, 'silent');
      expect(await outcomes(await start(slowly, feed))).toEqual(all('answered'));
    },
  );

  test('POL-21: models: what a limit asks of a model nobody knows, so nobody answers', async () => {
    chutes.feed('models', 'silent');
    expect(await outcomes(await start(slowly, 'models'))).toEqual({
      coder: 'no_candidates',
      batch: 'no_candidates',
      chat: 'no_capable_model',
      'batch:tee': 'no_candidates',
      'coder:tee:latency': 'no_candidates',
      'batch,chat:throughput': 'no_candidates',
    });
  });

  test('POL-21: all but models: the list alone is enough', async () => {
    chutes.feed('utilization', 'error');
    chutes.feed('stats', 'html');
    expect(await outcomes(await start(slowly, 'utilization', 'stats'))).toEqual(all('answered'));
  });
});
