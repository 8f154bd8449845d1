import type { ChutesSimulator } from '../../src/simulator/chutes-simulator.js';
import { type ChatRequest, chatRequest } from './chat-request.js';
import { chutesWith } from './chutes-with.js';
import { RawClient } from './raw-client.js';
import type { RawResponse } from './raw-response.js';
import { RawUpstream } from './raw-upstream.js';
import { type Env, startRouter, type TestRouter } from './router.js';

/** The models of the catalog, the best ranked first. */
const MODELS = ['first', 'second', 'third'];

/** A router in front of a raw upstream, with a simulator for its feeds, and raw clients in front of it. */
export class RawStage {
  readonly #clients: RawClient[] = [];

  private constructor(
    readonly feeds: ChutesSimulator,
    readonly upstream: RawUpstream,
    readonly router: TestRouter,
  ) {}

  /**
   * Stickiness is off, so that requests do not depend on those before. The catalog has `first`, `second` and
   * `third`, unless other models are given.
   *
   * @param options `tls`: the router is told that the upstream speaks TLS, which it does not; `models`: entries of the catalog, the
   *   best ranked first
   */
  static async set(
    env: Env = {},
    { tls = false, models = MODELS.map((id): { id: string } => ({ id })) } = {},
  ): Promise<RawStage> {
    const feeds = await chutesWith(models, {
      utilization: models.map(({ id }, place) => ({ name: id, active_instance_count: 9 - place })),
    });
    const upstream = await RawUpstream.start();
    const url = tls ? upstream.url.replace('http:', 'https:') : upstream.url;
    const router = await startRouter(feeds, {
      BACKEND_BASE_URL: url,
      RESPONSES_BASE_URL: url,
      MESSAGES_BASE_URL: url,
      STICKY_TTL_SECS: '0',
      ...env,
    });
    return new RawStage(feeds, upstream, router);
  }

  /** A client that has sent its request. */
  async open(request: ChatRequest): Promise<RawClient> {
    return this.send(chatRequest(request));
  }

  /** A client that has sent these bytes. */
  async send(bytes: string | Buffer): Promise<RawClient> {
    const client = await RawClient.open(this.router.port, bytes);
    this.#clients.push(client);
    return client;
  }

  /** The whole answer to a request. */
  async ask(request: ChatRequest): Promise<RawResponse> {
    return (await this.open(request)).response();
  }

  /** Closes everything, and fails if a script threw. */
  async clear(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.router.close();
    await this.upstream.close();
    await this.feeds.close();
    if (this.upstream.scriptErrors.length > 0) throw this.upstream.scriptErrors[0];
  }
}
