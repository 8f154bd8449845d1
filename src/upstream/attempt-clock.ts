/** The settings of an attempt's timers, in milliseconds. */
export interface ClockSettings {
  readonly headerTimeoutMs: number;
  readonly firstByteTimeoutMs: number;
  readonly patientTimeoutMs: number;
}

/**
 * How long one attempt may take. Chutes sends headers only with the first token, and without streaming only
 * after the whole generation, so impatience is for a stream that has somewhere else to go.
 */
export interface AttemptClock {
  readonly settings: ClockSettings;
  /** Whether the request is streamed and another candidate is left. */
  readonly hasAlternative: boolean;
  /** No attempt starts after this moment, so a timer that fires later has nowhere to go. Monotonic milliseconds. */
  readonly failoverUntilMs: number;
  /** The longest to the first byte of the body, from the sending on, as long as another attempt can follow; the settings alone without. */
  readonly learnedMs?: number;
}

/** For an attempt that has nowhere else to go. */
export function patientClock(timeoutMs: number): AttemptClock {
  const settings = { headerTimeoutMs: timeoutMs, firstByteTimeoutMs: timeoutMs, patientTimeoutMs: timeoutMs };
  return { settings, hasAlternative: false, failoverUntilMs: 0 };
}

/** @returns how long to wait for the headers from now on, in milliseconds. */
export function timeToHeaders(clock: AttemptClock, nowMs: number): number {
  const { headerTimeoutMs, patientTimeoutMs } = clock.settings;
  const ms = Math.min(headerTimeoutMs, clock.learnedMs ?? Infinity);
  return canStillMove(clock, nowMs + ms) ? ms : patientTimeoutMs;
}

/** @returns how long to wait for the first byte from now on, when the headers have come, in milliseconds. */
export function timeToFirstByte(clock: AttemptClock, sentAtMs: number, nowMs: number): number {
  const { firstByteTimeoutMs, patientTimeoutMs } = clock.settings;
  const leftMs = Math.max(0, sentAtMs + (clock.learnedMs ?? Infinity) - nowMs);
  const ms = Math.min(firstByteTimeoutMs, leftMs);
  if (canStillMove(clock, nowMs + ms)) return ms;
  return Math.max(0, sentAtMs + patientTimeoutMs - nowMs);
}

function canStillMove({ hasAlternative, failoverUntilMs }: AttemptClock, atMs: number): boolean {
  return hasAlternative && atMs <= failoverUntilMs;
}
