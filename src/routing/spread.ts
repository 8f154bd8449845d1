import { hash } from 'node:crypto';
import type { AliasPolicy } from '../config/alias-policy.js';
import type { Candidate } from './candidate.js';
import type { Route } from './route.js';

/** Of the best score: with less free capacity a model gets no share of its own. */
const LEAST_SHARE = 0.1;
const LEAST_WEIGHT = 0.01;

/** Where a client stands in the spread: 32 bits, the same on every replica, and kept nowhere. */
export type ClientPoint = number;

/** @param seed what tells clients apart */
export function clientPoint(seed: string): ClientPoint {
  return hash('sha256', seed, 'buffer').readUInt32BE();
}

/** Whether an alias's clients are spread: `spread` changes the order of free capacity, and no other. */
export function spreads({ spread, sort }: Readonly<AliasPolicy>): boolean {
  return spread && sort === 'capacity';
}

/** Whether it matters to a request who asks. */
export function isSpread(route: Route): boolean {
  switch (route.mode) {
    case 'alias':
      return spreads(route.alias.policy);
    case 'list':
      return route.items.some((item) => typeof item !== 'string' && spreads(item.policy));
    case 'direct':
      return false;
  }
}

interface Share {
  readonly candidate: Candidate;
  /** Of the largest one's. */
  readonly weight: number;
  readonly point: number;
}

/** A distance is less than 256 and counts in steps of 2^-28; behind it stands a share's place, of which no feed has so many. */
const STEPS = 2 ** 28;
const PLACES = 2 ** 16;

/** Candidates that nothing but their free capacity puts before or behind each other. */
interface Part {
  readonly shares: readonly Share[];
  /** Room for a distance and a place of each: as numbers they are sorted in a third of the time that objects take. */
  readonly keys: Float64Array;
  /** Those without a share, in their order. */
  readonly others: readonly Candidate[];
}

/**
 * An order of each client's own, in which each model comes first for a share of all clients that is in proportion to its free
 * capacity: weighted rendezvous hashing (Thaler and Ravishankar, 1998; with weights as Schindelhauer and Schomaker, 2005). When a score
 * moves, only clients move whose first model it becomes, or was.
 */
export class Spread {
  private readonly parts: readonly Part[];

  /** @param parts each comes behind the one before it whoever asks */
  constructor(parts: readonly (readonly Candidate[])[]) {
    this.parts = parts.map(partOf);
  }

  orderFor(client: ClientPoint): readonly Candidate[] {
    const order: Candidate[] = [];
    for (const { shares, keys, others } of this.parts) {
      for (let at = 0; at < keys.length; at += 1) {
        keys[at] = Math.floor(distance(shares[at] as Share, client) * STEPS) * PLACES + at;
      }
      keys.sort();
      for (const key of keys) order.push((shares[key % PLACES] as Share).candidate);
      for (const candidate of others) order.push(candidate);
    }
    return order;
  }
}

function partOf(candidates: readonly Candidate[]): Part {
  const best = candidates.reduce((most, candidate) => Math.max(most, scoreOf(candidate)), 0);
  const hasShare = (candidate: Candidate) =>
    scoreOf(candidate) > 0 && scoreOf(candidate) >= LEAST_SHARE * best;
  const shares = candidates.filter(hasShare).map((candidate) => ({
    candidate,
    weight: Math.max(scoreOf(candidate), LEAST_WEIGHT) / Math.max(best, LEAST_WEIGHT),
    point: pointOf(candidate.model),
  }));
  return {
    shares,
    keys: new Float64Array(shares.length),
    others: candidates.filter((candidate) => !hasShare(candidate)),
  };
}

function scoreOf({ ranked }: Candidate): number {
  // Absurdly large figures can overflow to a score that nothing can be a share of.
  return Math.min(ranked?.capacity?.score ?? -Infinity, Number.MAX_VALUE);
}

function distance({ weight, point }: Share, client: ClientPoint): number {
  // In the middle of a step, so that it is neither 0 nor 1.
  const u = (mixed(client ^ point) + 0.5) / 2 ** 32;
  return -Math.log(u) / weight;
}

/** FNV-1a. */
function pointOf(name: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) value = Math.imul(value ^ name.charCodeAt(i), 0x01000193);
  return mixed(value);
}

/** The end of MurmurHash3: each bit of the input changes each of the output as likely as not. */
function mixed(input: number): number {
  let value = input;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
