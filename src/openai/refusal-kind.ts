export const REFUSALS = ['model', 'capacity', 'context', 'ability', 'account'] as const;

/**
 * What a refusal of the upstream's is about: this `model`, its `capacity`, a `context` too long for it, an `ability` that it lacks, or
 * the client's own `account`.
 */
export type Refusal = (typeof REFUSALS)[number];
