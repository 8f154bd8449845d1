import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import type { ModelId } from '../catalog/model-list.js';
import { CONFIG, type Config } from '../config/config.js';
import { type Asked, conversationOf, sessionOf } from '../reading/asked.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import { clientAddress } from './client-address.factory.js';
import { type ClientIdentity, type ClientKey, clientKey } from './client-key.js';
import { digestOf, keyedHash } from './keyed-hash.js';
import { type Answer, applies, type Pin, pinAfter } from './pin.js';
import { PinHold, type PinKeeper } from './pin-hold.js';
import { sessionInHeaders } from './session.js';
import { StickyStore } from './sticky.store.js';

/** A model that may be chosen. */
interface Choice {
  readonly model: ModelId;
}

/** What of a request decides which pin it has, and whether it follows that. */
type Turn = Pick<Asked, 'model' | 'isToolResult'>;

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

  /** Whether pins are kept at all. */
  get isOn(): boolean {
    return this.config.ttlMs > 0 && this.config.maxEntries > 0;
  }

  /** Whose request this is, as its headers, its connection and its body tell. */
  clientOf(request: IncomingMessage, pieces: readonly Buffer[], asked: Asked): ClientIdentity {
    const { sessionHeader, isByConversation } = this.config;
    const { headers } = request;
    const apiKey = headers['x-api-key'];
    const session = sessionInHeaders(headers, sessionHeader) ?? sessionOf(pieces, asked);
    return {
      authorization: headers.authorization,
      apiKey: Array.isArray(apiKey) ? apiKey[0] : apiKey,
      address: () => this.addressOf(request),
      session,
      conversation:
        isByConversation && session === undefined ? digestOf(conversationOf(pieces, asked)) : undefined,
    };
  }

  /**
   * A request's hold on its client's pin.
   *
   * @returns at once where nothing has to be waited for; `undefined` while stickiness is off.
   */
  hold(
    client: ClientIdentity,
    asked: Turn,
    candidates: readonly Choice[],
  ): PinHold | undefined | Promise<PinHold> {
    const key = this.keyOf(client, asked.model);
    if (key === undefined) return undefined;
    const found = this.pinFor(key, candidates, asked.isToolResult);
    return found instanceof Promise
      ? found.then((pin) => new PinHold(this, key, pin))
      : new PinHold(this, key, found);
  }

  /** @returns `undefined` while stickiness is off. */
  keyOf(client: ClientIdentity, modelValue: string): ClientKey | undefined {
    return this.isOn ? clientKey(this.keyedHash, client, modelValue) : undefined;
  }

  /**
   * The pin this request is to follow: one that applies and is on one of the candidates.
   *
   * @param isToolResult whether the request ends with a tool's result
   */
  pinFor(
    key: ClientKey,
    candidates: readonly Choice[],
    isToolResult: boolean,
  ): Pin | undefined | Promise<Pin | undefined> {
    const found = this.store.get(key);
    if (!(found instanceof Promise)) return this.eligible(found, candidates, isToolResult);
    return found.then(
      (pin) => this.eligible(pin, candidates, isToolResult),
      () => {
        this.metrics.stickyLookedUp('error');
        return undefined;
      },
    );
  }

  /** The client's pin, and whether a request with these candidates would follow it. Changes nothing, and is not counted. */
  async describe(
    client: ClientIdentity,
    asked: Turn,
    candidates: readonly Choice[],
  ): Promise<{ model: ModelId; applies: boolean } | undefined> {
    const key = this.keyOf(client, asked.model);
    const pin = key && (await Promise.resolve(this.store.get(key)).catch(() => undefined));
    return pin && { model: pin.model, applies: this.isFollowed(pin, candidates, asked.isToolResult) };
  }

  private eligible(
    pin: Pin | undefined,
    candidates: readonly Choice[],
    isToolResult: boolean,
  ): Pin | undefined {
    const isEligible = pin !== undefined && this.isFollowed(pin, candidates, isToolResult);
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

  private isFollowed(pin: Pin, candidates: readonly Choice[], isToolResult: boolean): boolean {
    // No model changes between a call and its result by the router's own wish.
    const failbackMs = isToolResult ? 0 : this.config.failbackMs;
    return (
      applies(pin, this.store.nowMs(), failbackMs) && candidates.some(({ model }) => model === pin.model)
    );
  }

  /** Nobody waits for a write. */
  private countFailure(written: void | Promise<unknown>): void {
    if (written instanceof Promise) written.catch(() => this.metrics.stickyWriteFailed());
  }
}
