/** How many failures in a row lead to a cooldown (0: none ever does), and how long the first one and the longest take. */
export interface CooldownSettings {
  readonly failures: number;
  readonly cooldownMs: number;
  readonly maxMs: number;
}

/** What is remembered of a model since its last success. Immutable; times are monotonic milliseconds. */
export interface ModelHealth {
  /** Failures in a row that no cooldown has answered yet. */
  readonly failures: number;
  /** Cooldowns since its last success. */
  readonly cooldowns: number;
  /** When the last of them is over. */
  readonly coolUntilMs: number;
  /** When the attempt began that is to show whether the model is well again; `undefined` while there is none. */
  readonly probeAtMs: number | undefined;
}

/** For so long a probe keeps others away: one that hangs would do so for good. */
export const PROBE_MS = 10_000;

/** A cooldown lasts up to a tenth longer or shorter, so that replicas and models do not come back together. */
const SPREAD = 0.1;

const WELL: ModelHealth = { failures: 0, cooldowns: 0, coolUntilMs: -Infinity, probeAtMs: undefined };

/** Whether others are to be tried first. */
export function isCooling(health: ModelHealth | undefined, nowMs: number): boolean {
  if (health === undefined || health.cooldowns === 0) return false;
  return nowMs < health.coolUntilMs || isProbed(health, nowMs);
}

/** An attempt begins. The first one after a cooldown is its probe: `probeAtMs` is then the moment of its beginning. */
export function afterStart(health: ModelHealth | undefined, nowMs: number): ModelHealth | undefined {
  if (health === undefined || health.cooldowns === 0 || isCooling(health, nowMs)) return health;
  return { ...health, probeAtMs: nowMs };
}

/**
 * An attempt has failed.
 *
 * @param beganAtMs when the attempt began
 * @param chance from 0 to 1
 */
export function afterFailure(
  health: ModelHealth = WELL,
  beganAtMs: number,
  nowMs: number,
  settings: CooldownSettings,
  chance: number,
): ModelHealth {
  const isProbe = health.probeAtMs === beganAtMs;
  // What began before the cooldown, or in spite of it, says nothing new.
  if (!isProbe && isCooling(health, nowMs)) return health;
  const failures = health.failures + 1;
  if (settings.failures === 0) return health;
  if (!isProbe && failures < settings.failures) return { ...health, failures };
  const lengthMs = Math.min(settings.cooldownMs * 2 ** health.cooldowns, settings.maxMs);
  return {
    failures: 0,
    cooldowns: health.cooldowns + 1,
    coolUntilMs: nowMs + lengthMs * (1 - SPREAD + 2 * SPREAD * chance),
    probeAtMs: undefined,
  };
}

/** An attempt has ended without a word on the model: its client left, or the answer is about something else. */
export function afterNothing(health: ModelHealth | undefined, beganAtMs: number): ModelHealth | undefined {
  return health?.probeAtMs === beganAtMs ? { ...health, probeAtMs: undefined } : health;
}

function isProbed({ probeAtMs }: ModelHealth, nowMs: number): boolean {
  return probeAtMs !== undefined && nowMs < probeAtMs + PROBE_MS;
}
