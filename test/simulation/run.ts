import { Random } from '../support/random.ts';
import { Agenda, type Timed } from './agenda.ts';
import { CONVERSATION, type OutageKind } from './assumptions.ts';
import type { Chooser } from './chooser.ts';
import { Conversation, type World } from './conversation.ts';
import { exponential } from './distributions.ts';
import type { Fleet } from './fleet.ts';
import { Measures, type Result } from './measures.ts';
import { Omniscient } from './omniscient.ts';
import { Platform } from './platform.ts';
import { type Policy, POLICIES } from './policies.ts';
import { SimulatedRouter } from './router.ts';
import type { RouterCode } from './router-code.ts';
import { inVirtualTime } from './virtual-time.ts';

const MINUTE_MS = 60_000;
/** Until then pins and load find their places, and nothing is measured. */
const WARM_UP_MS = 5 * MINUTE_MS;
/** What has begun ends, and is counted. */
const DRAIN_MS = 30 * MINUTE_MS;

/** Something that happens to the fleet in every run alike. `times`: first tokens take so much longer. */
export type Trouble = { readonly minutes: number } & (
  { readonly kind: OutageKind | 'rush' } | { readonly kind: 'slow'; readonly times: number }
);

export interface Scenario {
  readonly fleet: Fleet;
  /** Which part of all requests that the fleet gets is ours. */
  readonly share: number;
  readonly minutes: number;
  /** Whether models fail by chance, too. */
  readonly outages: boolean;
  /** What happens when the measured time begins. */
  readonly trouble?: Trouble;
}

export interface Run extends Result {
  readonly events: number;
  /** Whether all that began within the measured time has ended. */
  readonly isComplete: boolean;
}

/** One simulation. The same arguments give the same run. */
export function simulate(code: RouterCode, scenario: Scenario, policy: Policy, seed: number): Run {
  const agenda = new Agenda();
  return inVirtualTime(agenda, Random.of(seed, 2), () => {
    const { fleet, minutes, trouble, outages } = scenario;
    const untilMs = WARM_UP_MS + minutes * MINUTE_MS;
    const measures = new Measures(WARM_UP_MS, untilMs);
    // Whoever sees all reads no feed, but others do.
    const routerPolicy = policy === 'omniscient' ? POLICIES['without memories'] : policy;
    const ids = fleet.map(({ id }) => id);
    const router = new SimulatedRouter(code, routerPolicy, ids);
    const platform = new Platform(fleet, agenda, seed, router);
    if (outages) platform.scheduleOutages(untilMs);
    if (trouble) platform.at(WARM_UP_MS, () => make(trouble, platform));

    const chooser: Chooser = policy === 'omniscient' ? new Omniscient(platform.models) : router;
    const world: World = { agenda, models: platform.byId, chooser, measures, untilMs };
    void new Arrivals(world, scenario, seed);
    agenda.runUntil(untilMs);
    while (!measures.isComplete && agenda.nowMs < untilMs + DRAIN_MS)
      agenda.runUntil(agenda.nowMs + MINUTE_MS);
    return { ...measures.result(), events: agenda.events, isComplete: measures.isComplete };
  });
}

function make(trouble: Trouble, platform: Platform): void {
  const lengthMs = trouble.minutes * MINUTE_MS;
  const best = platform.byId.get(platform.first ?? '');
  if (!best) throw new Error('The feed has no best model.');
  if (trouble.kind === 'slow') platform.slowDown(trouble.times, lengthMs);
  else if (trouble.kind === 'rush') platform.rush(best, lengthMs);
  else platform.breakDown(best, trouble.kind, lengthMs);
}

/** New conversations, at any time as likely as at any other. */
class Arrivals implements Timed {
  generation = 0;
  readonly #world: World;
  readonly #seed: number;
  readonly #random: Random;
  readonly #meanMs: number;
  #count = 0;

  constructor(world: World, { fleet, share }: Scenario, seed: number) {
    this.#world = world;
    this.#seed = seed;
    this.#random = Random.of(seed, 4);
    const others = fleet.reduce((sum, { requestsPerMinute }) => sum + requestsPerMinute, 0) / MINUTE_MS;
    this.#meanMs = CONVERSATION.turns / ((others * share) / (1 - share));
    world.agenda.add(exponential(this.#random, this.#meanMs), this);
  }

  onTime(nowMs: number): void {
    if (nowMs >= this.#world.untilMs) return;
    this.#count += 1;
    void new Conversation(this.#world, this.#count, this.#seed, nowMs);
    this.#world.agenda.add(nowMs + exponential(this.#random, this.#meanMs), this);
  }
}
