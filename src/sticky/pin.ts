import type { ModelId } from '../catalog/model-list.js';

/** The model a client stays on. */
export interface Pin {
  readonly model: ModelId;
  /** From this moment on (milliseconds by the store's clock) the pin does not apply, so that a more preferred model gets its turn again. */
  readonly failbackAtMs?: number;
}

export interface Answer {
  readonly model: ModelId;
  /** Whether a model that the client prefers to this one failed first. */
  readonly isSecondChoice: boolean;
}

/**
 * The pin after a 2xx answer.
 *
 * @param applied the pin that this request followed; renewing it does not move its failback.
 * @param failbackMs 0: pins never fail back.
 */
export function pinAfter(applied: Pin | undefined, answer: Answer, nowMs: number, failbackMs: number): Pin {
  if (applied?.model === answer.model) return applied;
  if (!answer.isSecondChoice || failbackMs === 0) return { model: answer.model };
  return { model: answer.model, failbackAtMs: nowMs + failbackMs };
}

/**
 * A failback further ahead than any that would be set now is by another clock, or one that has been set back since. The pin
 * could stay for as long as the clocks differ.
 */
export function applies({ failbackAtMs }: Pin, nowMs: number, failbackMs: number): boolean {
  if (failbackAtMs === undefined || failbackMs === 0) return true;
  return nowMs < failbackAtMs && failbackAtMs <= nowMs + failbackMs;
}
