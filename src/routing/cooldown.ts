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
  /** The attempt that shows whether the model is well again; `undefined` while there is none. */
  readonly probe: Probe | undefined;
}

/** That others are tried first, as it is shown. */
export interface Cooldown {
  /** Monotonic milliseconds. */
  readonly untilMs: number;
  /** How many there have been since the model's last success. */
  readonly cooldowns: number;
}

/** An attempt that began when a cooldown was over. */
export interface Probe {
  readonly beganAtMs: number;
  /** The end of the cooldown that it follows. */
  readonly afterMs: number;
}

/** For so long a probe keeps others away: one that hangs would do so for good. */
export const PROBE_MS = 10_000;

/** A cooldown lasts up to a tenth longer or shorter, so that replicas and models do not come back together. */
const SPREAD = 0.1;

const WELL: ModelHealth = { failures: 0, cooldowns: 0, coolUntilMs: -Infinity, probe: undefined };

/** From which moment on the model cools no more. */
export function coolsUntil({ coolUntilMs, probe }: ModelHealth): number {
  return probe ? Math.max(coolUntilMs, probe.beganAtMs + PROBE_MS) : coolUntilMs;
}

/** Whether others are to be tried first. */
export function isCooling(health: ModelHealth | undefined, nowMs: number): boolean {
  return health !== undefined && nowMs < coolsUntil(health);
}

/** @returns `undefined` where nobody else is tried first */
export function cooldownAt(health: ModelHealth | undefined, nowMs: number): Cooldown | undefined {
  if (health === undefined || !isCooling(health, nowMs)) return undefined;
  return { untilMs: coolsUntil(health), cooldowns: health.cooldowns };
}

/**
 * An attempt begins. Of those that begin when a cooldown is over one is the probe, and another one when that has taken too long.
 *
 * @returns `undefined` where it is none
 */
export function probeAt(health: ModelHealth | undefined, nowMs: number): Probe | undefined {
  if (health === undefined || health.cooldowns === 0 || isCooling(health, nowMs)) return undefined;
  return { beganAtMs: nowMs, afterMs: health.coolUntilMs };
}

/** The probe begins. */
export function afterStart(health: ModelHealth, probe: Probe): ModelHealth {
  return { ...health, probe };
}

/**
 * An attempt has failed.
 *
 * @param probe the one that it was
 * @param chance from 0 to 1
 */
export function afterFailure(
  health: ModelHealth = WELL,
  probe: Probe | undefined,
  nowMs: number,
  settings: CooldownSettings,
  chance: number,
): ModelHealth {
  // Whatever runs when a cooldown begins may fail with the rest, and who goes there in spite of it shows nothing new.
  if (nowMs < health.coolUntilMs) return health;
  const failures = health.failures + 1;
  // One that has taken too long says as much as the one that has followed it.
  const isProbe = probe !== undefined && probe.afterMs === health.coolUntilMs;
  if (settings.failures === 0 || (!isProbe && failures < settings.failures)) return { ...health, failures };
  const lengthMs = Math.min(settings.cooldownMs * 2 ** health.cooldowns, settings.maxMs);
  return {
    failures: 0,
    cooldowns: health.cooldowns + 1,
    coolUntilMs: nowMs + lengthMs * (1 - SPREAD + 2 * SPREAD * chance),
    probe: undefined,
  };
}

/** An attempt has ended without a word on the model: its client left, or the answer is about something else. */
export function afterNothing(health: ModelHealth, probe: Probe): ModelHealth {
  return health.probe === probe ? { ...health, probe: undefined } : health;
}
