import type { AttemptReport } from '../../src/proxy/attempt-report.ts';
import type { Verdict } from '../../src/proxy/verdict.ts';
import type { CandidateOrder } from '../../src/routing/candidate-order.ts';
import type { PinHold } from '../../src/sticky/pin-hold.ts';
import type { Outcome, Plan } from './chooser.ts';
import type { SimulatedRouter } from './router.ts';

const ANSWER = {
  kind: 'opened',
  status: 200,
  headers: ['content-type', 'text/event-stream'],
} as const satisfies Outcome;

/** One request's attempts, as `AttemptsService` and `ProxyService` make them. */
export class RouterPlan implements Plan {
  readonly #router: SimulatedRouter;
  readonly #order: CandidateOrder;
  readonly #pin: PinHold | undefined;
  readonly #promptBytes: number;
  readonly #failoverUntilMs: number;
  readonly #limit: number;
  #report: AttemptReport | undefined;

  constructor(
    router: SimulatedRouter,
    order: CandidateOrder,
    pin: PinHold | undefined,
    promptBytes: number,
    nowMs: number,
  ) {
    const { maxAttempts, failoverDeadlineMs } = router.config.attempts;
    this.#router = router;
    this.#order = order;
    this.#pin = pin;
    this.#promptBytes = promptBytes;
    this.#failoverUntilMs = nowMs + failoverDeadlineMs;
    this.#limit = Math.min(order.candidates.length, maxAttempts);
  }

  modelAt(n: number): string {
    const model = this.#model(n);
    this.#report = this.#router.reports.begin(model, { asked: { stream: true }, generates: true }, this.#pin);
    return model;
  }

  patienceMs(n: number, nowMs: number): number {
    const { code, config, reports } = this.#router;
    const hasAlternative = this.#hasNext(n);
    const learnedMs = n === 0 && hasAlternative ? reports.learnedMs(this.#promptBytes) : Infinity;
    const clock = {
      settings: config.attempts,
      hasAlternative,
      failoverUntilMs: this.#failoverUntilMs,
      learnedMs,
    };
    return code.timeToHeaders(clock, nowMs);
  }

  onFirstToken(n: number, beganAtMs: number, nowMs: number): void {
    this.#judge(n, ANSWER, nowMs, nowMs - beganAtMs);
    const isSecondChoice = this.#router.code.isSecondChoice(this.#order, n, 'alias');
    this.#pin?.onAnswered({ model: this.#model(n), isSecondChoice }, ANSWER.status);
  }

  onEnded(isWhole: boolean): void {
    if (isWhole) this.#report?.onWhole();
    else this.#report?.onBroken();
  }

  judge(n: number, beganAtMs: number, outcome: Outcome, nowMs: number): boolean {
    const isTimeout = outcome.kind === 'failed' && outcome.reason === 'upstream_header_timeout';
    return this.#judge(n, outcome, nowMs, isTimeout ? nowMs - beganAtMs : undefined).kind === 'next';
  }

  #judge(n: number, outcome: Outcome, nowMs: number, firstByteMs: number | undefined): Verdict {
    const { code, config } = this.#router;
    const canMove = this.#hasNext(n) && nowMs <= this.#failoverUntilMs;
    const verdict = code.verdict(outcome, { ...config.attempts, canMove, hasLarger: false });
    this.#report?.onJudged(outcome, verdict, firstByteMs);
    return verdict;
  }

  #hasNext(n: number): boolean {
    return n + 1 < this.#limit;
  }

  #model(n: number) {
    const candidate = this.#order.candidates[this.#router.code.placeOf(this.#order, n)];
    if (!candidate) throw new Error('There is no such attempt.');
    return candidate.model;
  }
}
