/**
 * What nobody outside Chutes can know, in one place. Facts are in `testdata/fleet.csv`; the router's own settings are its
 * defaults. Times in milliseconds unless named otherwise.
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** A model's instances are one pool of slots with one queue. */
export const MODEL = {
  slotsPerInstance: 32,
  /** Of the slots; whoever comes when it is full is told that the model is at its capacity. */
  queueShare: 0.1,
  firstTokenMs: 400,
  firstTokenSigma: 0.4,
  /** Fresh tokens of the prompt that are read in a millisecond. */
  readPerMs: 6,
  /** Tokens that an idle model writes in a millisecond. */
  writtenPerMs: 0.06,
  /** The first token takes 1 / (1 − crowding · use²) as long. */
  crowding: 0.75,
} as const;

/** How long it takes until a refusal is there, or a broken connection. */
export const FAILURE = { capacityMs: 50, refusalMs: 100, resetMs: 200 } as const;

export const CONVERSATION = {
  turns: 5,
  promptTokens: 1_500,
  promptSigma: 1.2,
  /** What a later turn adds to the prompt beside the answer before it. */
  followUpTokens: 150,
  followUpSigma: 1,
  answerTokens: 250,
  answerSigma: 1,
  thinkMs: 15 * SECOND,
  thinkSigma: 1,
  /** Of the prompt, on the model that answered the turn before. */
  cachedShare: 0.9,
  bytesPerToken: 4,
  /** After a failed request, and after the second one; then the conversation is given up. */
  retriesMs: [1 * SECOND, 2 * SECOND],
} as const;

export const BACKGROUND = {
  /** Of all others' requests: they go where the feed's first model is, as those of other routers. */
  followers: 0.1,
  /** A model's rate is this much off its mean (lognormal σ), and so much of that is left a minute later. */
  noise: 0.2,
  memory: 0.9,
  /** Between night and day. */
  wave: 0.3,
  dayMs: 24 * HOUR,
  /** No answer is shorter, whatever the capture's use and rate say of a nearly idle model. */
  leastServiceMs: 500,
  /** In a rush on a model, so many times what it can serve. */
  rush: 1.5,
} as const;

export const SCALING = {
  /** Above it one more instance is started. */
  use: 0.75,
  startMs: [3 * MINUTE, 6 * MINUTE],
  /** A model loses an instance so often, and gets another one as after a start. */
  lossMs: 8 * HOUR,
} as const;

export const OUTAGES = {
  perModelAndHour: 0.04,
  meanMs: 6 * MINUTE,
  /** The platform takes a model out of the feed that has failed for so long. */
  noticedAfterMs: 4 * MINUTE,
  kinds: [
    { kind: 'hang', weight: 30 },
    { kind: 'unavailable', weight: 30 },
    { kind: 'reset', weight: 15 },
    { kind: 'sick', weight: 25 },
  ],
} as const;

/** The feed is written anew once a minute, and the router's copy of that is so old when it comes to be used. */
export const FEED = { everyMs: MINUTE, delayMs: 20 * SECOND } as const;

/**
 * How an outage shows. `hang`: nothing comes any more, of running answers either. `deaf`: nothing comes, but what runs goes on.
 * `unavailable`: 503. `reset`: connections break, running ones, too. `sick`: one instance of the model hangs, resets or says 500.
 */
export type OutageKind = (typeof OUTAGES.kinds)[number]['kind'] | 'deaf';
