/** A model that has failed just now, and that others are tried before. */
export interface Cooldown {
  /** When it is over, in milliseconds of a monotonic clock. */
  readonly untilMs: number;
  /** How many there have been since the model last answered well. */
  readonly cooldowns: number;
}

/** What is remembered of failures. */
export interface Cooldowns {
  /** @returns `undefined` for a model that does not cool. */
  cooldownOf(model: string, nowMs: number): Cooldown | undefined;
}

/** Injection token of {@link Cooldowns}. */
export const COOLDOWNS = Symbol('Cooldowns');

/** Nobody remembers failures. */
export const NO_COOLDOWNS: Cooldowns = { cooldownOf: () => undefined };
