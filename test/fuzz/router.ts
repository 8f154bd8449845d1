import { setTimeout as sleep } from 'node:timers/promises';
import type { ChutesSimulator } from '../../src/simulator/chutes-simulator.ts';
import type { Exchange } from '../../src/simulator/exchange.ts';
import type { RecordedRequest } from '../../src/simulator/recorded-request.ts';
import { importBuilt } from '../support/built.ts';
import { Random } from '../support/random.ts';
import type { LogLine } from '../support/router.ts';
import { WatchedRouter } from '../support/watched-router.ts';
import { conversationProblem, nameOf } from './answers.ts';
import { converse } from './conversation.ts';
import { scriptOf } from './http.ts';

const CONNECTIONS_AT_ONCE = 200;
const HEALTH_EVERY_MS = 250;
const ENDED_WITHIN_MS = 10_000;
const MAX_PROBLEMS = 10;
const GENERATIONS = new Set(['/v1/chat/completions', '/v1/completions']);
/** What the contract keeps from the upstream. */
const KEPT_BACK =
  /^(?:te|trailer|upgrade|expect|cookie|keep-alive|proxy-.*|http2-settings|forwarded|via|x[-_]forwarded[-_].*|x-chutes-autopilot-.*)$/i;

export interface RouterReport {
  connections: number;
  bytes: number;
  health: number;
  arrived: number;
  /** How many answers there were, by status and code. */
  readonly answers: Map<string, number>;
  /** How the connections ended. */
  readonly ends: Map<string, number>;
  readonly problems: string[];
}

/** A router under broken requests, in front of an upstream that takes exception to anything unsound. */
export class RouterFuzz {
  readonly report: RouterReport = {
    connections: 0,
    bytes: 0,
    health: 0,
    arrived: 0,
    answers: new Map(),
    ends: new Map(),
    problems: [],
  };
  readonly #seed: number;
  readonly #simulator: ChutesSimulator;
  readonly #models: readonly string[];
  readonly #chutes: readonly string[];
  #router!: WatchedRouter;

  private constructor(seed: number, simulator: ChutesSimulator) {
    this.#seed = seed;
    this.#simulator = simulator;
    const entries = simulator.models as readonly { id: string; confidential_compute?: boolean }[];
    this.#models = entries.map(({ id }) => id).filter((id) => !id.startsWith('sim/'));
    this.#chutes = entries.filter((entry) => entry.confidential_compute === true).map(({ id }) => id);
    const script = (exchange: Exchange) => this.#answer(exchange);
    simulator.behave('*', { kind: 'scripted', script });
    simulator.feed('evidence', { kind: 'scripted', script });
  }

  /** Sends made-up requests for so long. */
  static async run(seed: number, ms: number): Promise<RouterReport> {
    const { ChutesSimulator } = await importBuilt<typeof import('../../src/simulator/chutes-simulator.ts')>(
      'simulator/chutes-simulator.js',
    );
    const fuzz = new RouterFuzz(seed, await ChutesSimulator.start({ keepRequests: 0 }));
    await fuzz.#run(ms);
    return fuzz.report;
  }

  async #run(ms: number): Promise<void> {
    const { url } = this.#simulator;
    const env = {
      LISTEN_ADDR: '127.0.0.1:0',
      BACKEND_BASE_URL: url,
      RESPONSES_BASE_URL: url,
      MESSAGES_BASE_URL: url,
      EVIDENCE_BASE_URL: url,
      MODELS_URL: `${url}/v1/models`,
      UTILIZATION_URL: `${url}/chutes/utilization`,
      STATS_URL: 'off',
      REQUEST_HEADERS_TIMEOUT_MS: '400',
      REQUEST_BODY_TIMEOUT_MS: '400',
      SHUTDOWN_DRAIN_MS: '0',
    };
    this.#router = await WatchedRouter.start(env, (line) => this.#takeLine(line));
    await this.#until('The router is ready', async () => (await this.#router.get('/readyz')).ok);
    const sockets = this.#router.sockets;

    const until = performance.now() + ms;
    const isOn = () =>
      performance.now() < until && !this.#router.exit && this.report.problems.length < MAX_PROBLEMS;
    const talk = async () => {
      while (isOn()) await this.#connect();
    };
    await Promise.all([this.#watchHealth(isOn), ...Array.from({ length: CONNECTIONS_AT_ONCE }, talk)]);

    await this.#until('No request is active', async () => {
      const text = await (await this.#router.get('/metrics')).text();
      return /^chutes_autopilot_requests_active 0$/m.test(text);
    });
    // Some to the upstream are kept for a while.
    await this.#until('No connection is left', () => this.#router.sockets <= sockets + 2);
    await this.#router.stop();
    await this.#simulator.close();
    const { exit, stderr } = this.#router;
    if (exit?.code !== 0) this.#complain(`the router ended with ${exit?.code ?? exit?.signal}`);
    if (stderr !== '') this.#complain(`the router wrote to its standard error: ${stderr}`);
  }

  async #connect(): Promise<void> {
    this.report.connections += 1;
    const n = this.report.connections;
    const random = Random.of(this.#seed, n);
    const { bytes, isAmbiguous } = scriptOf(random, this.#models, this.#chutes);
    this.report.bytes += bytes.length;
    const conversation = await converse(this.#router.port, bytes, random);
    count(this.report.ends, `${conversation.manner}: ${conversation.end}`);
    for (const answer of conversation.answers) count(this.report.answers, nameOf(answer));
    const problem = conversationProblem(conversation, isAmbiguous);
    if (problem !== undefined && !this.#router.exit) {
      this.#complain(
        `connection ${n}: ${problem}. Sent: ${JSON.stringify(bytes.toString('latin1').slice(0, 1_500))}`,
      );
    }
  }

  async #watchHealth(isOn: () => boolean): Promise<void> {
    while (isOn()) {
      const status = await this.#router.get('/healthz').then(
        (response) => response.status,
        (error: unknown) => String(error),
      );
      this.report.health += 1;
      if (status !== 200) this.#complain(`/healthz: ${status}`);
      await sleep(HEALTH_EVERY_MS);
    }
  }

  /** The upstream: what arrives has to be sound. */
  async #answer(exchange: Exchange): Promise<void> {
    this.report.arrived += 1;
    const { request } = exchange;
    const problem = arrivalProblem(request, new Set(this.#models));
    if (problem !== undefined) this.#complain(`${request.method} ${request.path} arrived: ${problem}`);
    exchange.begin(200, { 'content-type': 'application/json' });
    await exchange.end('{"object":"chat.completion"}');
  }

  #takeLine(line: LogLine): void {
    if (line['level'] === 'error' || line['level'] === 'fatal')
      this.#complain(`it logged ${JSON.stringify(line)}`);
  }

  async #until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + ENDED_WITHIN_MS;
    while (!this.#router.exit && !(await holds())) {
      if (performance.now() > deadline) {
        this.#complain(`this did not come true: ${what}`);
        return;
      }
      await sleep(20);
    }
  }

  #complain(problem: string): void {
    if (this.report.problems.length < MAX_PROBLEMS) this.report.problems.push(problem);
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function arrivalProblem(request: RecordedRequest, models: ReadonlySet<string>): string | undefined {
  const { method, pathname, body, rawHeaders } = request;
  const kept = rawHeaders.find((name, n) => n % 2 === 0 && KEPT_BACK.test(name));
  if (kept !== undefined) return `with the header ${kept}`;
  if (method === 'GET') return body.length === 0 ? undefined : 'with a body';
  if (method !== 'POST' || !GENERATIONS.has(pathname)) return 'which is no route';
  const { model } = JSON.parse(body.toString()) as { model?: unknown };
  const isKnown =
    typeof model === 'string' && (models.has(model) || models.has(model.replace(/:[^:]*$/, '')));
  return isKnown ? undefined : `with the model ${JSON.stringify(model)}`;
}
