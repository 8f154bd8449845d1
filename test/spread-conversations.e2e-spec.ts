import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { readModelList } from '../src/catalog/model-list.js';
import { readUtilization } from '../src/catalog/utilization-feed.js';
import { eligibleModels } from '../src/ranking/eligible.js';
import { RoutingSnapshot } from '../src/routing/routing-snapshot.js';
import { simulatedModels } from '../src/simulator/feeds/simulated-models.js';
import { simulatedUtilization } from '../src/simulator/feeds/simulated-utilization.js';
import { ConversationStage } from './support/conversation-stage.js';
import { disproportions } from './support/proportion.js';
import type { Env } from './support/router.js';

const SEED = 7;
const CONVERSATIONS = 10_000;
/** Minutes of the feed at which each conversation has a turn. */
const MINUTES = [0, 4, 11, 25, 40];
const ALIASES = JSON.stringify({ wide: { spread: true } });

/** The simulated fleet as its feeds tell of it at a minute. */
function fleetAt(minute: number): RoutingSnapshot {
  const list = readModelList({ data: simulatedModels(SEED, 1_770_000_000) })?.list;
  const rows = readUtilization(simulatedUtilization(SEED, minute, '2026-02-18T00:00:00.000000'))?.rows;
  if (!list || !rows) throw new Error('These are no feeds.');
  return new RoutingSnapshot(eligibleModels(rows, list), list, []);
}

/** By model its free capacity, where that is a tenth of the largest at least. */
function sharesOf({ eligible }: RoutingSnapshot): Readonly<Record<string, number>> {
  const scores = eligible.map(({ id, capacity }) => [id, capacity?.score ?? 0] as const);
  const best = Math.max(...scores.map(([, score]) => score));
  return Object.fromEntries(scores.filter(([, score]) => score >= best / 10));
}

describe('ten thousand conversations of one token that an alias spreads', () => {
  const fleets = MINUTES.map(fleetAt);
  const [fleet] = fleets as [RoutingSnapshot];

  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000_000 });
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  /** Who answered each conversation, turn by turn. */
  function play(env: Env): readonly (readonly string[])[] {
    const stage = new ConversationStage('wide', ALIASES, env);
    const turns = fleets.map((its, turn) => {
      const answered = Array.from({ length: CONVERSATIONS }, (_, n) => stage.turn(n, turn, its));
      jest.advanceTimersByTime(600_000);
      return answered;
    });
    return Array.from({ length: CONVERSATIONS }, (_, n) => turns.map((answered) => answered[n] as string));
  }

  test('POL-20: go to the models in proportion to their free capacity, and keep theirs while the feeds move', () => {
    const conversations = play({ STICKY_SCOPE: 'conversation' });
    const shares = sharesOf(fleet);
    expect(Object.keys(shares).length).toBeGreaterThan(5);
    const firsts = conversations.map(([first]) => first as string);
    expect(disproportions(firsts, shares)).toEqual([]);
    expect(conversations.filter((models) => new Set(models).size > 1)).toEqual([]);
  });

  test('POL-20: without room for their pins, many go where the feeds lead', () => {
    const conversations = play({ STICKY_SCOPE: 'conversation', STICKY_MAX_ENTRIES: '100' });
    const moved = conversations.filter((models) => new Set(models).size > 1);
    expect(moved.length).toBeGreaterThan(CONVERSATIONS / 10);
  });

  test('POL-20: as one client they all go to one model', () => {
    expect(new Set(play({}).flat()).size).toBe(1);
  });
});
