import type { OutageKind } from './assumptions.ts';

/** A request of ours at a model. */
export interface Caller {
  /** Its place among those that run, kept by the model. */
  place: number;
  /** After a wait, its slot is there. */
  onSlot(nowMs: number): void;
  /** The model has broken its connection. */
  onCut(nowMs: number): void;
  /** Nothing comes of the model any more. */
  onStall(nowMs: number): void;
}

/** How a single failing instance fails, or a whole model. */
export type Sickness = 'hang' | 'unavailable' | 'reset' | 'error';

export type Admission = 'started' | 'queued' | 'full' | Sickness;

export interface Outage {
  readonly kind: OutageKind;
  /** What those meet whom it meets. */
  readonly sickness: Sickness;
}
