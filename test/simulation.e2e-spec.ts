import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { scoreOf } from '../src/ranking/score.js';
import { Agenda } from './simulation/agenda.js';
import { chartOf } from './simulation/chart.js';
import { type FleetName, FLEETS, readFleet } from './simulation/fleet.js';
import { Measures } from './simulation/measures.js';
import { readOptions } from './simulation/options.js';
import { type FeedRow, Platform } from './simulation/platform.js';
import { POLICIES, type PolicyName } from './simulation/policies.js';
import { loadRouterCode, type RouterCode } from './simulation/router-code.js';
import { SimulatedRouter } from './simulation/router.js';
import { simulate, type Trouble } from './simulation/run.js';
import { summaryOf } from './simulation/summary.js';
import { inVirtualTime } from './simulation/virtual-time.js';
import { Random } from './support/random.js';
import { runScript } from './support/run-script.js';

const MINUTE_MS = 60_000;
const all = readFleet();
let code: RouterCode;

beforeAll(async () => {
  code = await loadRouterCode(async (path) => import(`../src/${path}`));
});

const run = (policy: PolicyName, seed: number, trouble?: Trouble, fleet: FleetName = 'of 14') =>
  simulate(
    code,
    {
      fleet: FLEETS[fleet](all),
      share: 0.1,
      minutes: trouble?.minutes ?? 2,
      outages: !trouble,
      ...(trouble && { trouble }),
    },
    POLICIES[policy],
    seed,
  );

describe('a simulation', () => {
  test('PRJ-28: comes out the same for the same seed, and not for another', () => {
    const once = run('with spread, too', 1);
    expect(once.turns).toBeGreaterThan(200);
    expect(run('with spread, too', 1)).toEqual(once);
    expect(run('with spread, too', 2)).not.toEqual(once);
  });

  test('PRJ-28: leaves the clock and the dice of the process as they were', () => {
    const before = performance.now();
    run('without memories', 1);
    expect(performance.now()).toBeGreaterThan(before);
    const dice = Math.random;
    expect(() =>
      inVirtualTime({ nowMs: 42 }, new Random(1), () => {
        throw new Error(String(performance.now()));
      }),
    ).toThrow('42');
    expect(Math.random()).not.toBe(inVirtualTime({ nowMs: 0 }, new Random(1), () => Math.random()));
    expect(typeof dice()).toBe('number');
    expect(performance.now()).not.toBe(42);
  });

  test.each<[Trouble['kind'], PolicyName]>([
    ['hang', 'without memories'],
    ['hang', 'with memories'],
    ['hang', 'omniscient'],
    ['deaf', 'with memories'],
    ['unavailable', 'without memories'],
    ['unavailable', 'with spread, too'],
    ['reset', 'with memories'],
    ['sick', 'with spread, too'],
    ['rush', 'with memories'],
    ['slow', 'with spread, too'],
  ])('PRJ-29: every request ends once, and every turn, whatever fails (%s, %s)', (kind, policy) => {
    const trouble = (kind === 'slow' ? { kind, times: 10, minutes: 2 } : { kind, minutes: 2 }) as Trouble;
    const result = run(policy, 3, trouble);
    expect(result.requests).toBeGreaterThanOrEqual(result.turns);
    expect(result.isComplete).toBe(true);
  });

  test('PRJ-32: while the best model hangs, memories spare nine in ten of those who would wait over 10 s, and spreading more', () => {
    const [without, memories, spread] = (
      ['without memories', 'with memories', 'with spread, too'] as const
    ).map((policy) => run(policy, 4, { kind: 'hang', minutes: 4 }, 'captured').slowOrLostShare);
    expect(without).toBeGreaterThan(0.2);
    expect(memories).toBeLessThan(0.1 * (without as number));
    expect(spread).toBeLessThan(memories as number);
  });

  test('PRJ-32: deadlines that are learned fail nobody when the whole fleet slows down', () => {
    const results = (['without memories', 'with memories'] as const).map((policy) =>
      run(policy, 5, { kind: 'slow', times: 10, minutes: 4 }, 'captured'),
    );
    const [without, memories] = results;
    expect(without?.p50S).toBeGreaterThan(3);
    expect(memories?.failedShare).toBeLessThan((without?.failedShare ?? 0) + 0.005);
    expect(memories?.slowOrLostShare).toBeLessThan((without?.slowOrLostShare ?? 0) + 0.05);
  });

  test('PRJ-32: clients who are told that a model is full come back elsewhere', () => {
    const [without, memories] = (['without memories', 'with memories'] as const).map(
      (policy) => run(policy, 6, { kind: 'rush', minutes: 4 }, 'captured').failedShare,
    );
    expect(memories).toBeLessThan(0.7 * (without as number));
  });
});

describe('spread over the fleet', () => {
  test('PRJ-33: 10,000 conversations of one token go to models in proportion to free capacity, and each keeps its model', () => {
    const agenda = new Agenda();
    inVirtualTime(agenda, new Random(1), () => {
      let rows: readonly FeedRow[] = [];
      const ids = all.map(({ id }) => id);
      const router = new SimulatedRouter(code, POLICIES['with spread, too'], ids);
      void new Platform(all, agenda, 7, {
        onFeed: (its) => {
          rows = its;
          return router.onFeed(its);
        },
      });
      const scores = new Map(rows.map((row) => [row.name, scoreOf(row).score]));
      const conversations = Array.from({ length: 10_000 }, (_, id) => ({
        asker: { id, promptBytes: 4_000, freshTokens: () => 1_000 },
        models: new Set<string>(),
      }));
      for (let turn = 1; turn <= 5; turn += 1) {
        for (const { asker, models } of conversations) {
          const plan = router.plan(asker, agenda.nowMs);
          models.add(plan.modelAt(0, agenda.nowMs));
          plan.onFirstToken(0, agenda.nowMs, agenda.nowMs);
          plan.onEnded(true);
        }
        // The feed moves meanwhile.
        agenda.runUntil(agenda.nowMs + 2 * MINUTE_MS);
      }
      expect(conversations.filter(({ models }) => models.size > 1)).toEqual([]);

      const counts = new Map<string, number>();
      for (const { models } of conversations) {
        for (const model of models) counts.set(model, (counts.get(model) ?? 0) + 1);
      }
      const best = Math.max(...scores.values());
      const sharing = [...scores].filter(([, score]) => score > 0 && score >= 0.1 * best);
      const sum = sharing.reduce((total, [, score]) => total + score, 0);
      expect(sharing.length).toBeGreaterThan(5);
      expect([...counts.keys()].toSorted()).toEqual(sharing.map(([id]) => id).toSorted());
      for (const [id, score] of sharing) {
        const share = score / sum;
        const deviation = Math.sqrt(10_000 * share * (1 - share));
        expect(Math.abs((counts.get(id) ?? 0) - 10_000 * share)).toBeLessThan(4 * deviation);
      }
    });
  });
});

describe('what is measured', () => {
  test('PRJ-27: the turns that began within the time, and what came of them', () => {
    const measures = new Measures(100, 200);
    for (const turnAtMs of [50, 100, 150, 200]) {
      measures.asked(turnAtMs, true);
      measures.requested(turnAtMs);
      measures.attempted(turnAtMs, 'a');
    }
    expect(measures.isComplete).toBe(false);
    measures.requestEnded(100, true);
    measures.answered(100, 2_000, { isMoved: true, isSmall: false });
    measures.requestEnded(150, false);
    measures.lost(150);
    expect(measures.isComplete).toBe(true);
    const { p50S, ...rest } = measures.result();
    expect(p50S).toBeCloseTo(2, 1);
    expect(rest).toMatchObject({
      conversations: 2,
      turns: 2,
      requests: 2,
      failedShare: 0.5,
      slowOrLostShare: 0.5,
      attemptsPerRequest: 1,
      movesPerConversation: 0.5,
      largestShare: 0,
      smallShare: 0,
    });
  });

  test('PRJ-27: a summary has mean and span', () => {
    const result = run('without memories', 1);
    const other = { ...result, p95S: result.p95S + 2 };
    expect(summaryOf([result, other]).p95S).toEqual({
      mean: result.p95S + 1,
      least: result.p95S,
      most: result.p95S + 2,
    });
  });

  test('PRJ-27: the chart has a dot for each policy of each scenario in each panel', () => {
    const summary = summaryOf([run('without memories', 1)]);
    const policies = { 'without memories': summary, omniscient: summary };
    const svg = chartOf([
      { scenario: 'one & only, 1 % ours', policies },
      { scenario: 'two', policies },
    ]);
    expect(svg.match(/<circle[^>]*><title>/g)).toHaveLength(2 * 2 * 2);
    expect(svg).toContain('one &amp; only');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(svg).toContain('prefers-color-scheme: dark');
  });
});

describe('the command', () => {
  test('PRJ-34: takes scenarios, seeds, minutes and settings', () => {
    expect(readOptions([])).toMatchObject({
      isAll: false,
      only: '',
      settings: {},
      reports: 'logs/simulation',
    });
    const args = [
      '--all',
      '--seeds',
      '3-5',
      '--minutes',
      '2',
      '--set',
      'COOLDOWN_MS=1',
      '--set',
      'COOLDOWN_FAILURES=0',
    ];
    expect(readOptions(args)).toMatchObject({
      isAll: true,
      seeds: [3, 4, 5],
      minutes: 2,
      settings: { COOLDOWN_MS: '1', COOLDOWN_FAILURES: '0' },
    });
  });

  test.each([
    [['--seeds', 'x'], 'Use --seeds'],
    [['--seeds', '5-3'], 'Use --seeds'],
    [['--minutes', '0'], 'Use --minutes'],
    [['--set', 'nothing'], 'Use --set'],
  ])('PRJ-34: says of %j what is wrong', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });

  test('PRJ-34: prints and writes what came of it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'simulation-'));
    try {
      const args = ['--only', 'of 14', '--minutes', '1', '--seeds', '1', '--reports', folder];
      const { code: exit, output } = await runScript('test/simulation/main.ts', args);
      expect([exit, output]).toEqual([0, expect.stringContaining('fleet of 14, 10 % ours')]);
      for (const policy of Object.keys(POLICIES)) expect(output).toContain(`\n${policy} `);
      const files = await readdir(folder);
      expect(files.filter((name) => name.startsWith('latest.')).toSorted()).toEqual([
        'latest.json',
        'latest.svg',
        'latest.txt',
      ]);
      expect(files).toHaveLength(6);
      expect(JSON.parse(await readFile(join(folder, 'latest.json'), 'utf8'))).toMatchObject({ seeds: [1] });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
