import { ChutesSimulator } from '../../src/simulator/chutes-simulator.js';
import { type PrivateAuthority, privateAuthority } from '../../src/simulator/self-signed.js';
import { ConnectProxy, openTunnel } from './connect-proxy.js';
import { type Env, startRouter, type TestRouter } from './router.js';
import { trust } from './trust.js';

/** Resolved by nobody: whoever asks for it without a proxy gets nowhere. */
export const HOST = 'chutes.invalid';

/** The path of a chute's evidence, by an id that needs no catalog. */
export const EVIDENCE = `/chutes/ffffffff-0000-4000-8000-00000000000f/evidence?nonce=${'0'.repeat(64)}`;

export interface Schemes {
  readonly upstream: 'http' | 'https';
  readonly proxy: 'http' | 'https';
}

/** A simulated Chutes that can only be reached through a proxy, and routers that go through it. */
export class EgressStage {
  readonly #routers: TestRouter[] = [];

  private constructor(
    private readonly schemes: Schemes,
    private readonly authorities: Record<'upstream' | 'proxy', PrivateAuthority>,
    readonly chutes: ChutesSimulator,
    readonly proxy: ConnectProxy,
  ) {}

  /** The catalog has `first` and `second`, in this order. */
  static async set(schemes: Schemes): Promise<EgressStage> {
    const now = new Date();
    const authorities = { upstream: privateAuthority(now), proxy: privateAuthority(now) };
    const tls = authorities.upstream.issue(HOST);
    const chutes = await ChutesSimulator.start(schemes.upstream === 'https' ? { tls } : {});
    const proxyTls = schemes.proxy === 'https' ? authorities.proxy.issue('localhost') : undefined;
    const proxy = await ConnectProxy.start(proxyTls);
    const stage = new EgressStage(schemes, authorities, chutes, proxy);
    stage.reset();
    return stage;
  }

  /** Where the router finds Chutes. */
  get upstreamUrl(): string {
    return `${this.schemes.upstream}://${HOST}`;
  }

  /** What the proxy is asked for. */
  get target(): string {
    return `${HOST}:${this.schemes.upstream === 'https' ? 443 : 80}`;
  }

  /** The variable that names the proxy. @param userinfo `user:password@` */
  proxied(userinfo = ''): Env {
    return { [`${this.schemes.upstream.toUpperCase()}_PROXY`]: this.proxy.urlFor(userinfo) };
  }

  /** Starts a router, without stickiness. By default everything of it goes through the proxy. */
  async route(
    env: Env = this.proxied(),
    { upstreamUrl = this.upstreamUrl, awaitReady = true } = {},
  ): Promise<TestRouter> {
    const router = await startRouter(upstreamUrl, { STICKY_TTL_SECS: '0', ...env }, { awaitReady });
    this.#routers.push(router);
    return router;
  }

  /** Starts a router whose feeds come without the proxy, so that the proxy sees completions and evidence alone. */
  async routeAlone(env: Env = this.proxied()): Promise<TestRouter> {
    const feeds = this.chutes.url;
    return this.route({
      MODELS_URL: `${feeds}/v1/models`,
      UTILIZATION_URL: `${feeds}/chutes/utilization`,
      STATS_URL: 'off',
      NO_PROXY: new URL(feeds).host,
      ...env,
    });
  }

  /** From now on, and until {@link clear}, nobody vouches for Chutes. */
  trustProxyAlone(): void {
    trust(this.authorities.proxy.cert);
  }

  /** Closes the routers, and lets Chutes and the proxy behave well again. */
  async clear(): Promise<void> {
    await Promise.all(this.#routers.splice(0).map((router) => router.close()));
    this.reset();
  }

  async close(): Promise<void> {
    await this.proxy.close();
    await this.chutes.close();
    trust();
  }

  private reset(): void {
    trust(this.authorities.upstream.cert, this.authorities.proxy.cert);
    this.chutes.reset();
    this.chutes.models = ['first', 'second'];
    this.chutes.utilization = [
      { name: 'first', active_instance_count: 9 },
      { name: 'second', active_instance_count: 1 },
    ];
    this.proxy.reset((request) => openTunnel(request, Number(new URL(this.chutes.url).port)));
  }
}
