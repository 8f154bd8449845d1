import { describe, expect, test } from '@jest/globals';
import { Agenda, type Timed } from './simulation/agenda.js';
import { MODEL } from './simulation/assumptions.js';
import type { Caller } from './simulation/caller.js';
import { exponential, geometric, lognormal } from './simulation/distributions.js';
import { FLEETS, type ModelFacts, readFleet } from './simulation/fleet.js';
import { History } from './simulation/history.js';
import { type FeedReader, type FeedRow, Platform } from './simulation/platform.js';
import { SimulatedModel } from './simulation/simulated-model.js';
import { Random } from './support/random.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const SOME = { m5: 0.5, m15: 0.5, h1: 0.5 };
const NONE = { m5: 0, m15: 0, h1: 0 };
const FACTS: ModelFacts = {
  id: 'a/model',
  instances: 1,
  startable: 0,
  use: NONE,
  refused: NONE,
  requestsPerMinute: 0,
};
const nobody = { onFeed: () => undefined };

describe('the agenda', () => {
  test('PRJ-28: lets things happen in the order of their times, and not what is off', () => {
    const random = new Random(1);
    const agenda = new Agenda();
    const happened: number[] = [];
    const things = Array.from({ length: 1_000 }, (_, n) => {
      const thing: Timed = { generation: 0, onTime: (nowMs) => void happened.push(nowMs) };
      agenda.add(random.below(10_000), thing);
      if (n % 10 === 0) thing.generation += 1;
      return thing;
    });
    agenda.runUntil(5_000);
    expect(agenda.nowMs).toBe(5_000);
    expect(happened.every((ms) => ms < 5_000)).toBe(true);
    agenda.runUntil(10_000);
    expect(happened).toHaveLength(things.length * 0.9);
    expect(happened).toEqual(happened.toSorted((a, b) => a - b));
  });
});

describe('chance', () => {
  test.each<[string, (random: Random) => number, number]>([
    ['exponential', (random) => exponential(random, 20), 20],
    ['geometric', (random) => geometric(random, 5), 5],
    ['lognormal', (random) => lognormal(random, 10, 0.5), 10 * Math.exp(0.125)],
  ])('PRJ-28: %s draws have their mean', (_, draw, expected) => {
    const random = new Random(7);
    const draws = Array.from({ length: 50_000 }, () => draw(random));
    const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
    expect(Math.abs(mean - expected)).toBeLessThan(0.02 * expected);
  });
});

/** Comes, perhaps waits, is served for an exponential time and goes. */
class Patron implements Caller, Timed {
  generation = 0;
  place = -1;
  waitedMs = 0;
  readonly #cameAtMs: number;

  constructor(
    private readonly hall: Hall,
    nowMs: number,
  ) {
    this.#cameAtMs = nowMs;
    const admission = hall.model.admit(this, nowMs);
    hall.came += 1;
    if (admission === 'started') this.onSlot(nowMs);
    if (admission === 'full') hall.refused += 1;
  }

  onSlot(nowMs: number): void {
    this.hall.waitedMs += nowMs - this.#cameAtMs;
    this.hall.agenda.add(nowMs + exponential(this.hall.random, this.hall.serviceMs), this);
  }

  onTime(nowMs: number): void {
    this.hall.model.release(this, nowMs);
  }

  onCut(): void {}

  onStall(): void {}
}

/** A model that only patrons come to: M/M/c/K. */
class Hall implements Timed {
  generation = 0;
  came = 0;
  refused = 0;
  waitedMs = 0;
  readonly agenda = new Agenda();
  readonly random = new Random(3);
  readonly serviceMs = 1_000;
  readonly model = new SimulatedModel(FACTS, this.agenda, new Random(4));

  constructor(private readonly offered: number) {
    this.agenda.add(0, this);
  }

  onTime(nowMs: number): void {
    void new Patron(this, nowMs);
    this.agenda.add(nowMs + exponential(this.random, this.serviceMs / this.offered), this);
  }
}

/** Erlang's formulas for c servers and q places to wait, with so much work offered. @returns the share refused, the mean wait in service times */
function erlang(servers: number, places: number, offered: number): { refused: number; wait: number } {
  const weights = [1];
  for (let n = 1; n <= servers + places; n += 1) {
    weights.push(((weights[n - 1] as number) * offered) / Math.min(n, servers));
  }
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const refused = (weights.at(-1) as number) / all;
  const waiting = weights.reduce((sum, weight, n) => sum + Math.max(0, n - servers) * weight, 0) / all;
  return { refused, wait: waiting / (offered * (1 - refused)) };
}

describe('a simulated model', () => {
  test.each([24, 32, 44])(
    'PRJ-30: queues and refuses by the laws of queues, with %i erlangs offered to 32 slots',
    (offered) => {
      const hall = new Hall(offered);
      hall.agenda.runUntil((300_000 / offered) * hall.serviceMs);
      const { slotsPerInstance, queueShare } = MODEL;
      const expected = erlang(slotsPerInstance, Math.floor(slotsPerInstance * queueShare), offered);
      const waits = hall.waitedMs / (hall.came - hall.refused) / hall.serviceMs;
      expect(Math.abs(hall.refused / hall.came - expected.refused)).toBeLessThan(
        0.05 * expected.refused + 0.001,
      );
      expect(Math.abs(waits - expected.wait)).toBeLessThan(0.05 * expected.wait + 0.0002);
    },
  );

  test("PRJ-30: others' requests take the part of it that the table says", () => {
    const agenda = new Agenda();
    const model = new SimulatedModel(
      { ...FACTS, instances: 10, use: SOME, requestsPerMinute: 120 },
      agenda,
      new Random(5),
    );
    model.setBackground(120 / MINUTE_MS);
    let sum = 0;
    for (let minute = 1; minute <= 600; minute += 1) {
      agenda.runUntil(minute * MINUTE_MS);
      model.closeMinute(agenda.nowMs);
      sum += model.history.use(5);
    }
    expect(sum / 600).toBeGreaterThan(0.48);
    expect(sum / 600).toBeLessThan(0.52);
  });

  test('PRJ-31: an instance that is lost takes its share with it, and one that comes lets in who waits', () => {
    const agenda = new Agenda();
    const model = new SimulatedModel({ ...FACTS, instances: 2 }, agenda, new Random(6));
    const cut: number[] = [];
    const started: number[] = [];
    const callers = Array.from({ length: 70 }, (_, n) => {
      const caller: Caller = {
        place: -1,
        onSlot: () => void started.push(n),
        onCut: (nowMs) => {
          cut.push(n);
          model.release(caller, nowMs);
        },
        onStall: () => {},
      };
      return [caller, model.admit(caller, 0)] as const;
    });
    const count = (admission: string) => callers.filter(([, its]) => its === admission).length;
    expect([count('started'), count('queued'), count('full')]).toEqual([64, 6, 0]);
    model.scale(-1, 0);
    expect(cut.length).toBeGreaterThan(16);
    expect(cut.length).toBeLessThan(48);
    expect(model.busy).toBe(Math.min(32, 64 - cut.length + started.length));
    model.scale(3, 0);
    expect(started).toHaveLength(6);
    expect(model.running).toHaveLength(64 - cut.length + 6);
  });

  test.each(['hang', 'deaf', 'unavailable', 'reset'] as const)(
    'PRJ-31: one that has an outage (%s) looks ever freer',
    (kind) => {
      const agenda = new Agenda();
      const model = new SimulatedModel(
        { ...FACTS, use: SOME, requestsPerMinute: 600 },
        agenda,
        new Random(8),
      );
      model.setBackground(600 / MINUTE_MS);
      model.fail({ kind, sickness: kind === 'deaf' ? 'hang' : kind }, 0);
      agenda.runUntil(MINUTE_MS);
      expect(model.use).toBe(0);
      model.recover(agenda.nowMs);
      agenda.runUntil(2 * MINUTE_MS);
      expect(model.use).toBeGreaterThan(0);
    },
  );
});

describe('the fleet', () => {
  const fleet = readFleet();

  test('PRJ-30: has the models, instances, use and requests of the capture', () => {
    const sum = (figure: (facts: ModelFacts) => number) =>
      fleet.reduce((all, facts) => all + figure(facts), 0);
    const instances = sum((facts) => facts.instances);
    expect(fleet).toHaveLength(61);
    expect(new Set(fleet.map(({ id }) => id)).size).toBe(61);
    expect(instances).toBe(226);
    expect(sum((facts) => facts.instances * facts.use.m5) / instances).toBeCloseTo(0.24, 2);
    expect(sum((facts) => facts.requestsPerMinute) / 60).toBeCloseTo(111, 0);
    expect(FLEETS['without the giant'](fleet)).toHaveLength(60);
    expect(FLEETS['of 14'](fleet)).toHaveLength(14);
  });

  test('PRJ-30: a history begins with the averages of the capture', () => {
    const use = { m5: 0.5, m15: 0.4, h1: 0.6 };
    const refused = { m5: 0, m15: 0.02, h1: 0.1 };
    const history = new History({ ...FACTS, use, refused, requestsPerMinute: 10 });
    expect([history.use(5), history.use(15), history.use(60)].map((value) => value.toFixed(6))).toEqual([
      '0.500000',
      '0.400000',
      '0.600000',
    ]);
    expect(history.refusedShare(15)).toBeCloseTo(0.02);
    expect(history.refusedShare(60)).toBeCloseTo(0.1);
  });

  test('PRJ-31: the feed is written once a minute and read 20 s later', () => {
    const agenda = new Agenda();
    const read: number[] = [];
    const reader: FeedReader = {
      onFeed: () => {
        read.push(agenda.nowMs / 1_000);
        return undefined;
      },
    };
    void new Platform(fleet, agenda, 1, reader);
    agenda.runUntil(4 * MINUTE_MS);
    expect(read).toEqual([0, 80, 140, 200]);
  });

  test('PRJ-31: a model that has failed for 4 min is out of the feed until it is well', () => {
    const agenda = new Agenda();
    const feeds: (readonly FeedRow[])[] = [];
    const reader: FeedReader = {
      onFeed: (rows) => {
        feeds.push(rows);
        return undefined;
      },
    };
    const platform = new Platform(fleet, agenda, 1, reader);
    const [model] = platform.models;
    if (!model) throw new Error('There is no model.');
    platform.breakDown(model, 'hang', 7 * MINUTE_MS);
    agenda.runUntil(10 * MINUTE_MS);
    const isListed = feeds.map((rows) => (rows[0]?.active_instance_count ?? 0) > 0);
    // Written at minutes 0 to 9.
    expect(isListed).toEqual([true, true, true, true, false, false, false, true, true, true]);
  });

  test('PRJ-30: about as much is used as in the capture over an hour without us', () => {
    const agenda = new Agenda();
    const platform = new Platform(fleet, agenda, 2, nobody);
    agenda.runUntil(HOUR_MS);
    const slots = platform.models.reduce((sum, model) => sum + model.slots, 0);
    const use =
      platform.models.reduce((sum, { history, slots: its }) => sum + history.use(60) * its, 0) / slots;
    expect(use).toBeGreaterThan(0.12);
    expect(use).toBeLessThan(0.36);
  });
});
