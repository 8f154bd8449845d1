import type { ClientKey } from './client-key.js';
import type { Pin } from './pin.js';

/** Keeps pins for their time to live. A store may fail: that costs stickiness, never a request. */
export abstract class StickyStore {
  abstract get(key: ClientKey): Promise<Pin | undefined>;
  /** Sets or renews. */
  abstract set(key: ClientKey, pin: Pin): Promise<void>;
  /** Drops the pin if it still is on this model: a request of the same client may have moved it meanwhile. */
  abstract drop(key: ClientKey, model: Pin['model']): Promise<void>;
}
