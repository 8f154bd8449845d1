import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import type { ModelId } from '../catalog/model-list.js';
import { CONFIG, type Config } from '../config/config.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import { clientAddress } from './client-address.factory.js';
import { type ClientIdentity, type ClientKey, clientKey, spreadSeed } from './client-key.js';
import { keyedHash } from './keyed-hash.js';
import { type Answer, applies, type Pin, pinAfter } from './pin.js';
import { PinHold, type PinKeeper } from './pin-hold.js';
import { sessionOf } from './session.js';
import { StickyStore } from './sticky.store.js';

/** A model that may be chosen. */
interface Choice {
  readonly model: ModelId;
}

/** Remembers which model a client's requests for one value of `model` stay on. */
@Injectable()
export class StickyService implements PinKeeper {
  private readonly config: Config['sticky'];
  private readonly keyedHash: (text: string) => string;
  private readonly addressOf: (request: IncomingMessage) => string;

  constructor(
    @Inject(CONFIG) { sticky, trustedProxies }: Config,
    private readonly store: StickyStore,
    private readonly metrics: MetricsService,
  ) {
    this.config = sticky;
    this.keyedHash = keyedHash(sticky.hashSecret ?? randomBytes(32));
    this.addressOf = clientAddress(trustedProxies);
  }

  /**
   * A request's hold on its client's pin.
   *
   * @returns at once where nothing has to be waited for; `undefined` while stickiness is off.
   */
  hold(
    request: IncomingMessage,
    modelValue: string,
    candidates: readonly Choice[],
  ): PinHold | undefined | Promise<PinHold> {
    const key = this.keyOf(request, modelValue);
    if (key === undefined) return undefined;
    const found = this.pinFor(key, candidates);
    return found instanceof Promise
      ? found.then((pin) => new PinHold(this, key, pin))
      : new PinHold(this, key, found);
  }

  /** @returns `undefined` while stickiness is off. */
  keyOf(request: IncomingMessage, modelValue: string): ClientKey | undefined {
    const { ttlMs, maxEntries } = this.config;
    if (ttlMs === 0 || maxEntries === 0) return undefined;
    return clientKey(this.keyedHash, this.clientOf(request), modelValue);
  }

  /** What tells clients apart where they are spread over models, with stickiness off, too. It holds a token: it is for hashing at once. */
  spreadSeed(request: IncomingMessage): string {
    return spreadSeed(this.clientOf(request));
  }

  private clientOf(request: IncomingMessage): ClientIdentity {
    const apiKey = request.headers['x-api-key'];
    return {
      authorization: request.headers.authorization,
      apiKey: Array.isArray(apiKey) ? apiKey[0] : apiKey,
      address: () => this.addressOf(request),
      session: sessionOf(request.headers, this.config.sessionHeader, () => undefined),
      conversation: undefined,
    };
  }

  /** The pin this request is to follow: one that applies and is on one of the candidates. */
  pinFor(key: ClientKey, candidates: readonly Choice[]): Pin | undefined | Promise<Pin | undefined> {
    const found = this.store.get(key);
    if (!(found instanceof Promise)) return this.eligible(found, candidates);
    return found.then(
      (pin) => this.eligible(pin, candidates),
      () => {
        this.metrics.stickyLookedUp('error');
        return undefined;
      },
    );
  }

  /** The client's pin, and whether a request with these candidates would follow it. Changes nothing, and is not counted. */
  async describe(
    request: IncomingMessage,
    modelValue: string,
    candidates: readonly Choice[],
  ): Promise<{ model: ModelId; applies: boolean } | undefined> {
    const key = this.keyOf(request, modelValue);
    const pin = key && (await Promise.resolve(this.store.get(key)).catch(() => undefined));
    return pin && { model: pin.model, applies: this.isFollowed(pin, candidates) };
  }

  private eligible(pin: Pin | undefined, candidates: readonly Choice[]): Pin | undefined {
    const isEligible = pin !== undefined && this.isFollowed(pin, candidates);
    this.metrics.stickyLookedUp(isEligible ? 'hit' : pin ? 'ineligible' : 'miss');
    return isEligible ? pin : undefined;
  }

  /** Sets or renews the pin after a 2xx answer. */
  answered(key: ClientKey, applied: Pin | undefined, answer: Answer): void {
    const pin = pinAfter(applied, answer, this.store.nowMs(), this.config.failbackMs);
    this.countFailure(this.store.set(key, pin));
  }

  /** Drops the pin on a model that failed or broke its answer. */
  failed(key: ClientKey, model: ModelId): void {
    this.countFailure(this.store.drop(key, model));
  }

  private isFollowed(pin: Pin, candidates: readonly Choice[]): boolean {
    return (
      applies(pin, this.store.nowMs(), this.config.failbackMs) &&
      candidates.some(({ model }) => model === pin.model)
    );
  }

  /** Nobody waits for a write. */
  private countFailure(written: void | Promise<unknown>): void {
    if (written instanceof Promise) written.catch(() => this.metrics.stickyWriteFailed());
  }
}
