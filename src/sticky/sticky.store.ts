import type { Avoidance } from './avoidance.js';
import type { ClientKey } from './client-key.js';
import type { Pin } from './pin.js';

/** Keeps pins for their time to live. A store may fail: that costs stickiness, never a request. */
export abstract class StickyStore {
  /** Milliseconds by the clock that its pins go by. */
  abstract nowMs(): number;
  /** At once where nothing has to be waited for. */
  abstract get(key: ClientKey): Pin | undefined | Promise<Pin | undefined>;
  /** Sets or renews. A promise, if there is one, rejects if that failed. */
  abstract set(key: ClientKey, pin: Pin): void | Promise<unknown>;
  /** Drops the pin if it still is on this model: a request of the same client may have moved it meanwhile. */
  abstract drop(key: ClientKey, model: Pin['model']): void | Promise<unknown>;
  /** The models that were full, some perhaps long ago. At once where nothing has to be waited for. */
  abstract avoided(
    key: ClientKey,
  ): readonly Avoidance[] | undefined | Promise<readonly Avoidance[] | undefined>;
  /** Adds one to them. */
  abstract avoid(key: ClientKey, avoidance: Avoidance): void | Promise<unknown>;
}
