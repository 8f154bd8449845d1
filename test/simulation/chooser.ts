import type { Outcome } from '../../src/upstream/upstream-exchange.client.ts';

export type { Outcome } from '../../src/upstream/upstream-exchange.client.ts';

/** Who asks for what. */
export interface Asker {
  /** Tells conversations apart. */
  readonly id: number;
  readonly promptBytes: number;
  freshTokens(model: string): number;
}

/** Where one request's attempts go, and where to tell what came of them. `n` counts attempts from 0 on. */
export interface Plan {
  modelAt(n: number, nowMs: number): string;
  /** How long the attempt may take to its first token. */
  patienceMs(n: number, nowMs: number): number;
  onFirstToken(n: number, beganAtMs: number, nowMs: number): void;
  /** After its first token, the answer has ended. */
  onEnded(isWhole: boolean): void;
  /** An attempt came to nothing. @returns whether there is to be another one. */
  judge(n: number, beganAtMs: number, outcome: Outcome, nowMs: number): boolean;
}

/** What chooses models: the router with one policy or another, or somebody who knows everything. */
export interface Chooser {
  plan(asker: Asker, nowMs: number): Plan;
}
