import { hash } from 'node:crypto';
import type { Candidate } from './candidate.js';

/** Of the best score: with less free capacity a model gets no share of its own. */
const LEAST_SHARE = 0.1;
const LEAST_WEIGHT = 0.01;

/** Stands for a client in the spread: the same on every replica, and kept nowhere. */
export type ClientPoint = number;

/** @param identity what tells clients apart */
export function clientPoint(identity: string): ClientPoint {
  return Number.parseInt(hash('sha256', identity).slice(0, 8), 16);
}

/**
 * An order of the client's own, in which each model comes first for a share of all clients that is in proportion to its free
 * capacity: weighted rendezvous hashing (Thaler and Ravishankar, 1998; with weights as Schindelhauer and Schomaker, 2005). When a score
 * moves, only clients move whose first model it becomes, or was.
 */
export function spreadOrder(candidates: readonly Candidate[], client: ClientPoint): readonly Candidate[] {
  const best = Math.max(...candidates.map(scoreOf));
  const hasShare = (candidate: Candidate) =>
    candidate.why === 'ranked' && scoreOf(candidate) > 0 && scoreOf(candidate) >= LEAST_SHARE * best;
  const sharing = candidates
    .filter(hasShare)
    .map((candidate) => ({ candidate, distance: distance(candidate, client) }))
    .toSorted((a, b) => a.distance - b.distance)
    .map(({ candidate }) => candidate);
  return [...sharing, ...candidates.filter((candidate) => !hasShare(candidate))];
}

function scoreOf({ ranked }: Candidate): number {
  return ranked?.capacity?.score ?? -Infinity;
}

function distance(candidate: Candidate, client: ClientPoint): number {
  // In the middle of a step, so that it is neither 0 nor 1.
  const u = (mixed(client ^ nameHash(candidate.model)) + 0.5) / 2 ** 32;
  return -Math.log(u) / Math.max(scoreOf(candidate), LEAST_WEIGHT);
}

/** FNV-1a. */
function nameHash(name: string): number {
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
