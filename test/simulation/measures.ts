/** Times are kept to so much of their own length: 1 %. */
const STEP = Math.log(1.01);
const STEPS = 2_000;
/** Whoever waits longer for the first token has gone for coffee. */
export const SLOW_MS = 10_000;
/** With fewer new conversations in a minute, chance alone makes a share large. */
const LEAST_CONVERSATIONS = 20;
const MINUTE_MS = 60_000;

/** What came of the turns that began within a time: whatever comes of them later counts, too. */
export class Measures {
  readonly #fromMs: number;
  readonly #untilMs: number;
  readonly #times = new Float64Array(STEPS);
  readonly #choices = new Map<number, Map<string, number>>();

  conversations = 0;
  turns = 0;
  answers = 0;
  slowAnswers = 0;
  lostTurns = 0;
  moves = 0;
  smallAnswers = 0;
  requests = 0;
  endedRequests = 0;
  failedRequests = 0;
  attempts = 0;

  constructor(fromMs: number, untilMs: number) {
    this.#fromMs = fromMs;
    this.#untilMs = untilMs;
  }

  /** A turn begins. In what follows, `turnAtMs` tells which turn something is of. */
  asked(turnAtMs: number, isFirstTurn: boolean): void {
    if (!this.#counts(turnAtMs)) return;
    this.turns += 1;
    if (isFirstTurn) this.conversations += 1;
  }

  requested(turnAtMs: number): void {
    if (this.#counts(turnAtMs)) this.requests += 1;
  }

  /** @param newcomer the model of a new conversation's first attempt */
  attempted(turnAtMs: number, newcomer: string | undefined): void {
    if (!this.#counts(turnAtMs)) return;
    this.attempts += 1;
    if (newcomer === undefined) return;
    const minute = Math.floor(turnAtMs / MINUTE_MS);
    let choices = this.#choices.get(minute);
    if (!choices) this.#choices.set(minute, (choices = new Map()));
    choices.set(newcomer, (choices.get(newcomer) ?? 0) + 1);
  }

  requestEnded(turnAtMs: number, isWhole: boolean): void {
    if (!this.#counts(turnAtMs)) return;
    this.endedRequests += 1;
    if (!isWhole) this.failedRequests += 1;
  }

  /** @param firstTokenMs from the turn's beginning on, over all that was tried */
  answered(turnAtMs: number, firstTokenMs: number, by: { isMoved: boolean; isSmall: boolean }): void {
    if (!this.#counts(turnAtMs)) return;
    this.answers += 1;
    if (by.isMoved) this.moves += 1;
    if (by.isSmall) this.smallAnswers += 1;
    if (firstTokenMs > SLOW_MS) this.slowAnswers += 1;
    const step = Math.min(STEPS - 1, Math.max(0, Math.round(Math.log(firstTokenMs) / STEP)));
    this.#times[step] = (this.#times[step] as number) + 1;
  }

  lost(turnAtMs: number): void {
    if (this.#counts(turnAtMs)) this.lostTurns += 1;
  }

  /** Whether all that began within the time has ended. */
  get isComplete(): boolean {
    return this.turns === this.answers + this.lostTurns && this.requests === this.endedRequests;
  }

  result(): Result {
    return {
      conversations: this.conversations,
      turns: this.turns,
      requests: this.requests,
      p50S: this.#quantileS(0.5),
      p95S: this.#quantileS(0.95),
      p99S: this.#quantileS(0.99),
      failedShare: this.failedRequests / this.requests,
      slowOrLostShare: (this.slowAnswers + this.lostTurns) / this.turns,
      attemptsPerRequest: this.attempts / this.requests,
      movesPerConversation: this.moves / this.conversations,
      largestShare: this.#largestShare(),
      smallShare: this.smallAnswers / this.answers,
    };
  }

  #counts(turnAtMs: number): boolean {
    return turnAtMs >= this.#fromMs && turnAtMs < this.#untilMs;
  }

  #quantileS(share: number): number {
    let left = share * this.answers;
    let step = 0;
    while (step < STEPS - 1 && (left -= this.#times[step] as number) > 0) step += 1;
    return Math.exp(step * STEP) / 1_000;
  }

  #largestShare(): number {
    const shares = [...this.#choices.values()].map((choices) => {
      const counts = [...choices.values()];
      const all = counts.reduce((sum, count) => sum + count, 0);
      return all < LEAST_CONVERSATIONS ? 0 : Math.max(...counts) / all;
    });
    return Math.max(0, ...shares);
  }
}

/** Shares are from 0 to 1, times in seconds. */
export interface Result {
  readonly conversations: number;
  readonly turns: number;
  readonly requests: number;
  /** To the first token, of the turns that were answered. */
  readonly p50S: number;
  readonly p95S: number;
  readonly p99S: number;
  /** Of the clients' requests, repeated ones too. */
  readonly failedShare: number;
  /** Of the turns, those that took over 10 s to the first token, or were given up. */
  readonly slowOrLostShare: number;
  readonly attemptsPerRequest: number;
  /** Turns that another model answered than the one before: its cache is lost. */
  readonly movesPerConversation: number;
  /** The largest part of a minute's new conversations that one model got. */
  readonly largestShare: number;
  /** Of the answers, those of models with one or two instances: free capacity says nothing of what they are good for. */
  readonly smallShare: number;
}
