import { isDeepStrictEqual } from 'node:util';
import type { Asked } from '../../src/reading/asked.ts';
import { importBuilt } from '../support/built.ts';
import { cut } from '../support/cut.ts';
import { Random } from '../support/random.ts';
import { mutated, shrunk } from './bytes.ts';
import { BODIES, deepBody, JSON_TOKENS, randomBody } from './json.ts';
import { type Expected, expectedOf } from './reader-oracle.ts';

export type Reader = typeof import('../../src/reading/asked.ts');

/** Stands for no model that an input names. */
const REPLACEMENT = 'the/replacement "é"';
/** What lies around the body in memory: bytes that would change the outcome if they were read. */
const SURROUNDINGS = Buffer.from('"}]{"model":"outside","stream":true}0123456789abcdef\\u00');

export interface ReaderReport {
  inputs: number;
  /** How many were accepted, and how many refused with which code. */
  readonly outcomes: Map<string, number>;
  readonly problems: string[];
}

/** Reads made-up bodies for so long and compares what comes of them with what the oracle says. */
export async function fuzzReader(seed: number, ms: number): Promise<ReaderReport> {
  const reader = await importBuilt<Reader>('reading/asked.js');
  const report: ReaderReport = { inputs: 0, outcomes: new Map(), problems: [] };
  const until = performance.now() + ms;
  while (performance.now() < until && report.problems.length < 10) {
    report.inputs += 1;
    const body = inputOf(Random.of(seed, report.inputs));
    const { outcome, problem } = examine(reader, body);
    report.outcomes.set(outcome, (report.outcomes.get(outcome) ?? 0) + 1);
    if (problem !== undefined) {
      const small = shrunk(body, (bytes) => examine(reader, bytes).problem !== undefined);
      report.problems.push(
        `Input ${report.inputs}: ${examine(reader, small).problem}: ${JSON.stringify(small.toString('latin1'))}`,
      );
    }
  }
  return report;
}

function inputOf(random: Random): Buffer {
  const kind = random.next();
  const body = kind < 0.01 ? deepBody(random) : kind < 0.6 ? randomBody(random) : random.pick(BODIES);
  return random.chance(0.4) ? body : mutated(random, body, JSON_TOKENS, BODIES);
}

/** @returns what came of a body, and what is wrong with that. */
export function examine(
  { readAsked, withModel }: Reader,
  bytes: Buffer,
): { outcome: string; problem?: string } {
  const body = Buffer.concat([SURROUNDINGS, bytes, SURROUNDINGS]).subarray(
    SURROUNDINGS.length,
    SURROUNDINGS.length + bytes.length,
  );
  // Cut differently from input to input, but the same way each time.
  const pieces = cut(body, 1 + (bytes.length % 97));
  const expected = expectedOf(bytes);
  let field: Asked;
  try {
    field = readAsked(pieces);
  } catch (error) {
    const { code } = error as { code?: unknown };
    const outcome = String(code);
    return outcome === expected
      ? { outcome }
      : { outcome, problem: `${String(error)} instead of ${nameOf(expected)}` };
  }
  const outcome = 'accepted';
  if (typeof expected === 'string') return { outcome, problem: `accepted instead of ${expected}` };
  const { start, end, ...read } = field;
  if (!isDeepStrictEqual(read, expected)) {
    return { outcome, problem: `read as ${JSON.stringify(read)} instead of ${nameOf(expected)}` };
  }
  const changed = Buffer.concat(withModel(pieces, field, REPLACEMENT));
  const isRestKept =
    changed.subarray(0, start).equals(bytes.subarray(0, start)) &&
    changed.subarray(changed.length - (bytes.length - end)).equals(bytes.subarray(end));
  const before = JSON.parse(bytes.toString()) as Record<string, unknown>;
  const isReplaced = isDeepStrictEqual(parsed(changed), { ...before, model: REPLACEMENT });
  return isRestKept && isReplaced ? { outcome } : { outcome, problem: 'more than the model was changed' };
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

function nameOf(expected: Expected): string {
  return typeof expected === 'string' ? expected : JSON.stringify(expected);
}
