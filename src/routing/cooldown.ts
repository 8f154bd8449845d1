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
  /** How many of them were answers that broke. */
  readonly broken: number;
  /** Cooldowns since its last success. */
  readonly cooldowns: number;
  /** When the last of them is over. */
  readonly coolUntilMs: number;
  /** When the latest of the attempts that failed began. */
  readonly failedFromMs: number;
  /** The attempt that shows whether the model is well again; `undefined` while there is none. */
  readonly probe: Attempt | undefined;
}

/** That others are tried first, as it is shown. */
export interface Cooldown {
  /** Monotonic milliseconds. */
  readonly untilMs: number;
  /** How many there have been since the model's last success. */
  readonly cooldowns: number;
}

/** What is known of an attempt from its beginning on. */
export interface Attempt {
  readonly beganAtMs: number;
  /** Where it is a probe, the end of the cooldown that it follows. */
  readonly probesAfterMs: number | undefined;
}

/** That an attempt has failed. */
export interface Failure {
  readonly atMs: number;
  /** Whether its answer had begun. */
  readonly isBroken: boolean;
}

/** For so long a probe keeps others away: one that hangs would do so for good. */
export const PROBE_MS = 10_000;

/** A cooldown lasts up to a tenth longer or shorter, so that replicas and models do not come back together. */
const SPREAD = 0.1;

const WELL: ModelHealth = {
  failures: 0,
  broken: 0,
  cooldowns: 0,
  coolUntilMs: -Infinity,
  failedFromMs: -Infinity,
  probe: undefined,
};

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

/** An attempt begins. Of those that begin when a cooldown is over one is the probe, and another one when that has taken too long. */
export function attemptAt(health: ModelHealth | undefined, nowMs: number): Attempt {
  const isProbe = health !== undefined && health.cooldowns > 0 && !isCooling(health, nowMs);
  return { beganAtMs: nowMs, probesAfterMs: isProbe ? health.coolUntilMs : undefined };
}

/** The probe begins. */
export function afterStart(health: ModelHealth, probe: Attempt): ModelHealth {
  return { ...health, probe };
}

/**
 * A stream has begun: the model takes requests, so that those that it has not taken are no row. Streams that end well show it too late
 * where many run, for of these a few fail while any one is being written.
 */
export function afterFirstByte(health: ModelHealth): ModelHealth {
  return health.failures === health.broken ? health : { ...health, failures: health.broken };
}

/**
 * An attempt has ended well. If another one that began later has failed, it shows no more than that answers are finished: a model that
 * takes nothing new may well finish what runs.
 *
 * @returns `undefined` where nothing is left to remember
 */
export function afterSuccess(health: ModelHealth, attempt: Attempt): ModelHealth | undefined {
  if (attempt.beganAtMs >= health.failedFromMs) return undefined;
  const { failures, broken } = health;
  return afterNothing({ ...health, failures: failures - broken, broken: 0 }, attempt);
}

/**
 * An attempt has failed.
 *
 * @param chance from 0 to 1
 */
export function afterFailure(
  health: ModelHealth = WELL,
  { beganAtMs, probesAfterMs }: Attempt,
  { atMs, isBroken }: Failure,
  settings: CooldownSettings,
  chance: number,
): ModelHealth {
  const failedFromMs = Math.max(health.failedFromMs, beganAtMs);
  // Whatever runs when a cooldown begins may fail with the rest, and who goes there in spite of it shows nothing new.
  if (atMs < health.coolUntilMs) return { ...health, failedFromMs };
  const failures = health.failures + 1;
  const broken = health.broken + (isBroken ? 1 : 0);
  // One that has taken too long says as much as the one that has followed it.
  const isProbe = probesAfterMs !== undefined && probesAfterMs === health.coolUntilMs;
  if (settings.failures === 0 || (!isProbe && failures < settings.failures)) {
    return { ...health, failures, broken, failedFromMs };
  }
  const lengthMs = Math.min(settings.cooldownMs * 2 ** health.cooldowns, settings.maxMs);
  return {
    failures: 0,
    broken: 0,
    cooldowns: health.cooldowns + 1,
    coolUntilMs: atMs + lengthMs * (1 - SPREAD + 2 * SPREAD * chance),
    failedFromMs,
    probe: undefined,
  };
}

/** An attempt has ended without a word on the model: its client left, or the answer is about something else. */
export function afterNothing(health: ModelHealth, probe: Attempt): ModelHealth {
  return health.probe === probe ? { ...health, probe: undefined } : health;
}
