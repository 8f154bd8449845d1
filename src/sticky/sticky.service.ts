import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import type { ModelId } from '../catalog/model-list.js';
import { CONFIG, type Config } from '../config/config.js';
import { type Asked, conversationOf, sessionOf } from '../reading/asked.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import { avoidedAt } from './avoidance.js';
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

/** Says of a model whether it is to be left alone for now. */
type IsOut = (model: ModelId) => boolean;

const nobody: IsOut = () => false;
const NOBODY: readonly ModelId[] = [];

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
    isCooling?: IsOut,
  ): PinHold | undefined | Promise<PinHold> {
    const key = this.keyOf(client, asked.model);
    if (key === undefined) return undefined;
    const avoided = this.avoidedBy(key);
    const pin = this.pinFor(key, candidates, asked.isToolResult, isCooling, avoided);
    return pin instanceof Promise || avoided instanceof Promise
      ? Promise.all([pin, avoided]).then(([found, full]) => new PinHold(this, key, found, full))
      : new PinHold(this, key, pin, avoided);
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
    isCooling = nobody,
    avoided: ReturnType<StickyService['avoidedBy']> = NOBODY,
  ): Pin | undefined | Promise<Pin | undefined> {
    const found = this.store.get(key);
    if (!(found instanceof Promise) && !(avoided instanceof Promise)) {
      return this.eligible(found, candidates, isToolResult, isOutBy(isCooling, avoided));
    }
    return Promise.all([found, avoided]).then(
      ([pin, models]) => this.eligible(pin, candidates, isToolResult, isOutBy(isCooling, models)),
      () => {
        this.metrics.stickyLookedUp('error');
        return undefined;
      },
    );
  }

  /** The models that have told this client that they are full. */
  private avoidedBy(key: ClientKey): readonly ModelId[] | Promise<readonly ModelId[]> {
    const { avoidMs } = this.config;
    if (avoidMs === 0) return NOBODY;
    const found = this.store.avoided(key);
    if (!(found instanceof Promise)) return found ? avoidedAt(found, this.store.nowMs(), avoidMs) : NOBODY;
    return found.then(
      (known) => avoidedAt(known, this.store.nowMs(), avoidMs),
      // The lookup of the pin tells.
      () => NOBODY,
    );
  }

  /** The client's pin, and whether a request with these candidates would follow it. Changes nothing, and is not counted. */
  async describe(
    client: ClientIdentity,
    asked: Turn,
    candidates: readonly Choice[],
    isCooling = nobody,
  ): Promise<{ model: ModelId; applies: boolean } | undefined> {
    const key = this.keyOf(client, asked.model);
    const pin = key && (await Promise.resolve(this.store.get(key)).catch(() => undefined));
    if (!pin) return undefined;
    const isOut = isOutBy(isCooling, await this.avoidedBy(key));
    return { model: pin.model, applies: this.isFollowed(pin, candidates, asked.isToolResult, isOut) };
  }

  private eligible(
    pin: Pin | undefined,
    candidates: readonly Choice[],
    isToolResult: boolean,
    isOut: IsOut,
  ): Pin | undefined {
    const isEligible = pin !== undefined && this.isFollowed(pin, candidates, isToolResult, isOut);
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

  /** Keeps a client off a model that is full. */
  full(key: ClientKey, model: ModelId): void {
    const { avoidMs } = this.config;
    if (avoidMs === 0) return;
    this.countFailure(this.store.drop(key, model));
    this.countFailure(this.store.avoid(key, { model, untilMs: this.store.nowMs() + avoidMs }));
  }

  private isFollowed(pin: Pin, candidates: readonly Choice[], isToolResult: boolean, isOut: IsOut): boolean {
    // No model changes between a call and its result by the router's own wish.
    const failbackMs = isToolResult ? 0 : this.config.failbackMs;
    return (
      applies(pin, this.store.nowMs(), failbackMs) &&
      !isOut(pin.model) &&
      candidates.some(({ model }) => model === pin.model)
    );
  }

  /** Nobody waits for a write. */
  private countFailure(written: void | Promise<unknown>): void {
    if (written instanceof Promise) written.catch(() => this.metrics.stickyWriteFailed());
  }
}

function isOutBy(isCooling: IsOut, avoided: readonly ModelId[]): IsOut {
  return avoided.length === 0 ? isCooling : (model) => avoided.includes(model) || isCooling(model);
}
