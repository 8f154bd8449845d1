import type { ModelId } from '../catalog/model-list.js';

/** A model that has told a client that it is full. */
export interface Avoidance {
  readonly model: ModelId;
  /** Milliseconds by the store's clock. */
  readonly untilMs: number;
}

/** So many models are remembered for a client. */
const MAX_AVOIDED = 8;

/** Longer values are not avoidances. */
export const MAX_AVOIDANCE_BYTES = 16_384;

const NOBODY: readonly ModelId[] = [];

/**
 * The models that come last for a client now.
 *
 * @param avoidMs how long one is avoided. Clocks of replicas differ a little; one that is avoided for more than twice as long is so by
 *   one that is wrong, or has been set back since
 */
export function avoidedAt(
  known: readonly Avoidance[] | undefined,
  nowMs: number,
  avoidMs: number,
): readonly ModelId[] {
  if (known === undefined) return NOBODY;
  return known
    .filter(({ untilMs }) => nowMs < untilMs && untilMs <= nowMs + 2 * avoidMs)
    .map(({ model }) => model);
}

/** With one more, without those whose time is over. The one that was full last comes last. */
export function withAvoidance(
  known: readonly Avoidance[] | undefined,
  added: Avoidance,
  nowMs: number,
): readonly Avoidance[] {
  const others = (known ?? []).filter(({ model, untilMs }) => model !== added.model && nowMs < untilMs);
  return [...others, added].slice(-MAX_AVOIDED);
}

/** As JSON: a list of models, each with its moment. */
export function avoidanceValue(avoidances: readonly Avoidance[]): string {
  return JSON.stringify(avoidances.map(({ model, untilMs }) => [model, untilMs]));
}

/** @returns `undefined` for what {@link avoidanceValue} has not written. */
export function readAvoidanceValue(value: unknown): readonly Avoidance[] | undefined {
  if (typeof value !== 'string' || Buffer.byteLength(value) >= MAX_AVOIDANCE_BYTES) return undefined;
  const list = parsed(value);
  if (!Array.isArray(list) || list.length > MAX_AVOIDED || !list.every(isPair)) return undefined;
  return list.map(([model, untilMs]) => ({ model: model as ModelId, untilMs }));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isPair(value: unknown): value is readonly [string, number] {
  return (
    Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && typeof value[1] === 'number'
  );
}
