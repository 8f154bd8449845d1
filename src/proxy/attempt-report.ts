import type { ModelId } from '../catalog/model-list.js';
import type { FailureReason } from '../openai/failure-reason.js';
import type { Refusal } from '../openai/refusal-kind.js';
import type { Outcome } from '../upstream/upstream-exchange.client.js';
import type { AnswerWatcher } from '../upstream/relay.socket.js';
import { isEventStream } from '../upstream/event-stream.js';
import type { Verdict } from './verdict.js';

/** What becomes of a client's pin. */
export interface AttemptWatcher {
  /** A model has failed, or has broken its answer. */
  onFailed(model: ModelId): void;
  /** A model is full. */
  onFull(model: ModelId): void;
}

/** Stands for an attempt, for those who know when it began. */
type Attempt = object;

/** Those who remember what attempts have shown. */
export interface Memories {
  readonly health: {
    begin(model: ModelId): Attempt;
    answering(model: ModelId): void;
    succeeded(model: ModelId, attempt: Attempt, firstByteMs: number | undefined): void;
    failed(model: ModelId, attempt: Attempt, reason: string): void;
    broke(model: ModelId, attempt: Attempt): void;
    ended(model: ModelId, attempt: Attempt): void;
  };
  readonly firstBytes: { observe(ms: number): void };
}

/** One attempt, from its beginning to the end of its answer: what it shows is said here, and nowhere else. */
export class AttemptReport implements AnswerWatcher {
  private readonly attempt: Attempt;
  /** Whether its 2xx is still to end, as far as is known. */
  private isOpen = false;
  /** Milliseconds to the first byte, of a stream alone. */
  private firstByteMs: number | undefined;

  constructor(
    private readonly memories: Memories,
    private readonly model: ModelId,
    private readonly isStreamed: boolean,
    private readonly pin: AttemptWatcher | undefined,
  ) {
    this.attempt = memories.health.begin(model);
  }

  /**
   * Its outcome has been judged.
   *
   * @param firstByteMs to the first byte of a 2xx, or to the deadline where there was none in time
   */
  onJudged(outcome: Outcome, { failure, refusal }: Verdict, firstByteMs: number | undefined): void {
    const { health, firstBytes } = this.memories;
    if (this.isStreamed && firstByteMs !== undefined) firstBytes.observe(firstByteMs);
    if (refusal === 'capacity') this.pin?.onFull(this.model);
    if (failure !== undefined) {
      // That it cannot do this one request says nothing against a model.
      if (refusal !== 'context' && refusal !== 'ability') this.pin?.onFailed(this.model);
      if (speaksAgainstModel(failure, refusal)) health.failed(this.model, this.attempt, failure);
      else health.ended(this.model, this.attempt);
    } else if (outcome.kind === 'opened' && outcome.status < 300) {
      this.isOpen = true;
      if (this.isStreamed && isEventStream(outcome.headers)) {
        this.firstByteMs = firstByteMs;
        health.answering(this.model);
      }
    } else {
      health.ended(this.model, this.attempt);
    }
  }

  onWhole(): void {
    if (this.close()) this.memories.health.succeeded(this.model, this.attempt, this.firstByteMs);
  }

  onBroken(): void {
    this.pin?.onFailed(this.model);
    if (this.close()) this.memories.health.broke(this.model, this.attempt);
  }

  /** As little as a 400 does it say of the model. */
  onRefused(): void {
    this.onGivenUp();
  }

  onGivenUp(): void {
    if (this.close()) this.memories.health.ended(this.model, this.attempt);
  }

  private close(): boolean {
    const { isOpen } = this;
    this.isOpen = false;
    return isOpen;
  }
}

/** Whether a failure counts for the cooldown of its model: a 400 is about the request, and a 429 about a client. */
function speaksAgainstModel(failure: FailureReason, refusal: Refusal | undefined): boolean {
  if (failure === 'upstream_400' || failure === 'upstream_429') return false;
  return refusal === undefined || refusal === 'model';
}
