import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../support/random.ts';
import type { Env, LogLine } from '../support/router.ts';
import { type Stall, watchStalls } from '../support/stall-watch.ts';
import { WatchedRouter } from '../support/watched-router.ts';
import { COMPLETIONS, fullHouse } from './completions.ts';
import { loadDemo } from './demo.ts';
import type { Limits } from './judge.ts';
import { Ledger } from './ledger.ts';
import { Metrics } from './metrics.ts';
import { OTHERS } from './others.ts';
import { RAW_STEPS } from './raw-steps.ts';
import { ROUGH } from './rough.ts';
import { simulatedSteps } from './simulated-steps.ts';
import { Stalls } from './stalls.ts';
import { TORRENT } from './torrent.ts';
import { Upstream } from './upstream.ts';
import {
  FULL_BODIES,
  MAX_REQUEST_BYTES,
  REQUEST_BODY_TIMEOUT_MS,
  UPSTREAM_MAX_CONNECTIONS,
  type World,
} from './world.ts';

/** Requests that run at the same time. */
const WORKERS = 64;
const KINDS = [...COMPLETIONS, ...OTHERS, ...ROUGH];
const LIMITS: Limits = { headerTimeoutMs: 1_500, firstByteTimeoutMs: 1_200, idleTimeoutMs: 1_500 };

/** The router's settings: what takes minutes in production takes a second or so here, and bounds are met. */
function environment({ front, simulator }: Upstream): Env {
  return {
    LISTEN_ADDR: '127.0.0.1:0',
    BACKEND_BASE_URL: front.url,
    RESPONSES_BASE_URL: front.url,
    MESSAGES_BASE_URL: front.url,
    EVIDENCE_BASE_URL: front.url,
    MODELS_URL: `${simulator.url}/v1/models`,
    UTILIZATION_URL: `${simulator.url}/chutes/utilization`,
    STATS_URL: 'off',
    MODELS_REFRESH_MS: '700',
    UTILIZATION_REFRESH_MS: '400',
    CONTROL_PLANE_TIMEOUT_MS: String(LIMITS.headerTimeoutMs),
    MAX_REQUEST_BYTES: String(MAX_REQUEST_BYTES),
    MAX_INFLIGHT_BODY_BYTES: String(FULL_BODIES * MAX_REQUEST_BYTES),
    REQUEST_HEADERS_TIMEOUT_MS: '1000',
    REQUEST_BODY_TIMEOUT_MS: String(REQUEST_BODY_TIMEOUT_MS),
    UPSTREAM_CONNECT_TIMEOUT_MS: '500',
    UPSTREAM_HEADER_TIMEOUT_MS: String(LIMITS.headerTimeoutMs),
    UPSTREAM_FIRST_BODY_BYTE_TIMEOUT_MS: String(LIMITS.firstByteTimeoutMs),
    UPSTREAM_PATIENT_TIMEOUT_MS: '3000',
    UPSTREAM_IDLE_TIMEOUT_MS: String(LIMITS.idleTimeoutMs),
    CLIENT_STALL_TIMEOUT_MS: '2500',
    FAILOVER_DEADLINE_MS: '8000',
    UPSTREAM_MAX_CONNECTIONS: String(UPSTREAM_MAX_CONNECTIONS),
    STICKY_TTL_SECS: '5',
    STICKY_MAX_ENTRIES: '100',
    STICKY_FAILBACK_SECS: '1',
    SHUTDOWN_DRAIN_MS: '0',
  };
}

/** A router under load from here, in front of an upstream that is in here, too. */
export class Soak {
  readonly ledger: Ledger;
  readonly router: WatchedRouter;
  readonly upstream: Upstream;
  readonly stalls: Stalls;
  /** The most memory that it has been seen to have, in bytes. */
  peakBytes = 0;
  readonly #seed: number;
  readonly #world: World;
  #next = 0;

  private constructor(
    seed: number,
    ledger: Ledger,
    router: WatchedRouter,
    upstream: Upstream,
    stalls: Stalls,
    world: World,
  ) {
    this.#seed = seed;
    this.ledger = ledger;
    this.router = router;
    this.upstream = upstream;
    this.stalls = stalls;
    this.#world = world;
  }

  static async start(seed: number): Promise<Soak> {
    const demo = await loadDemo();
    const ledger = new Ledger(`soak-${seed}`, LIMITS);
    const upstream = await Upstream.start(demo, new Random(seed), ledger);
    const stalls = new Stalls();
    const stall = (one: Stall) => stalls.add(one);
    watchStalls(stall);
    const take = (line: LogLine) => ledger.takeLine(line);
    const router = await WatchedRouter.start(environment(upstream), take, stall);
    const entries = upstream.simulator.models as readonly { id: string; confidential_compute?: boolean }[];
    const soak = new Soak(seed, ledger, router, upstream, stalls, {
      port: router.port,
      models: entries.map(({ id }) => id).filter((id) => !id.startsWith('sim/')),
      confidential: entries.filter((entry) => entry.confidential_compute === true).map(({ id }) => id),
      open: entries.filter((entry) => entry.confidential_compute === false).map(({ id }) => id),
      steps: [...simulatedSteps(demo), ...RAW_STEPS],
      torrent: TORRENT,
      agent: new Agent({ keepAlive: true, maxSockets: WORKERS }),
      begin: (kind, plan) => ledger.begin(kind, plan),
      end: (call, seen) => ledger.end(call, seen),
    });
    await soak.until('The router is ready', async () => (await router.get('/readyz')).ok);
    return soak;
  }

  /** Load and bad weather for so long; then waits until every request has ended, and judges all. */
  async run(ms: number): Promise<void> {
    const until = performance.now() + ms;
    this.upstream.badWeather();
    const worker = async () => {
      while (performance.now() < until && !this.router.exit) {
        this.#next += 1;
        const random = Random.of(this.#seed, this.#next);
        await random.weighed(KINDS).run(random, this.#world);
        if (this.#next % 50 === 0) this.peakBytes = Math.max(this.peakBytes, this.router.residentBytes);
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, worker));
    await this.upstream.fairWeather();
    await this.#drain();
  }

  /** Uses all that the router may use at once, which shows whether the load has left anything taken. */
  async fillUp(): Promise<void> {
    await fullHouse(new Random(this.#seed), this.#world);
    await this.#drain();
  }

  /** Ends the connections that clients keep. */
  hangUp(): void {
    this.#world.agent.destroy();
  }

  async metrics(): Promise<Metrics> {
    return new Metrics(await (await this.router.get('/metrics')).text());
  }

  /** Ends the router in order, then the rest. */
  async close(): Promise<void> {
    this.hangUp();
    await this.router.stop();
    await this.upstream.close();
  }

  /** Waits until something holds. That it does not for long is a problem. */
  async until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (this.router.exit || !(await holds())) {
      if (this.router.exit || performance.now() > deadline) {
        this.ledger.tally.problems.push(`This did not come true: ${what}.`);
        return;
      }
      await sleep(20);
    }
  }

  async #drain(): Promise<void> {
    const { ledger, upstream } = this;
    await this.until('No request is active in the router', async () => {
      return (await this.metrics()).sum('requests_active') === 0;
    });
    await this.until('No request is open at the upstream', () => upstream.openRequests === 0);
    await this.until('Every counted request has its log line', async () => {
      return (await this.metrics()).sum('requests_total') === ledger.tally.logLines;
    });
    ledger.close();
    ledger.tally.problems.push(...upstream.simulator.scriptErrors.splice(0).map(String));
  }
}
