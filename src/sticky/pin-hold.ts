import type { ModelId } from '../catalog/model-list.js';
import type { ClientKey } from './client-key.js';
import type { Answer, Pin } from './pin.js';

/** What becomes of pins. */
export interface PinKeeper {
  answered(key: ClientKey, applied: Pin | undefined, answer: Answer): void;
  failed(key: ClientKey, model: ModelId): void;
  full(key: ClientKey, model: ModelId): void;
}

/** One request's hold on its client's pin: what its attempts show is said here, and nowhere else. */
export class PinHold {
  /** The model that the pin is on, as far as this request knows. */
  private pinned: ModelId | undefined;

  /**
   * @param pin the one that this request follows
   * @param avoided the models that have told this client that they are full
   */
  constructor(
    private readonly keeper: PinKeeper,
    private readonly key: ClientKey,
    private readonly pin: Pin | undefined,
    readonly avoided: readonly ModelId[],
  ) {
    this.pinned = pin?.model;
  }

  /** The model that goes first. */
  get model(): ModelId | undefined {
    return this.pin?.model;
  }

  /** A model has failed, or has broken its answer: no pin on it stays. */
  onFailed(model: ModelId): void {
    if (model !== this.pinned) return;
    this.pinned = undefined;
    this.keeper.failed(this.key, model);
  }

  /** A model is full: its client stays away from it for a while. */
  onFull(model: ModelId): void {
    if (model === this.pinned) this.pinned = undefined;
    this.keeper.full(this.key, model);
  }

  /** A model's answer is about to be relayed. */
  onAnswered(answer: Answer, status: number): void {
    if (status >= 300) return;
    this.pinned = answer.model;
    this.keeper.answered(this.key, this.pin, answer);
  }
}
