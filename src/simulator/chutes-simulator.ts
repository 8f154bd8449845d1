// Long: a test holds all of Chutes in one object.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { REPLIES } from './answers/chutes-replies.js';
import { Exchange, ExchangeOver } from './exchange.js';
import type { FeedBehaviour, FeedName, NamedFeedBehaviour } from './faults/feed-misbehaviour.js';
import { FeedRoutes } from './feeds/feed-routes.js';
import { Feeds } from './feeds/feeds.js';
import { Generation, GENERATION_PATHS, isGeneration } from './answers/generation.js';
import { Listener } from './listener.js';
import { type Behaviour, behaviourNamed, type NamedKind, SIM_MODEL_IDS } from './faults/misbehaviour.js';
import { send } from './faults/perform.js';
import { readBody } from './read-body.js';
import { RecordedRequest } from './recorded-request.js';
import { RequestLog } from './request-log.js';
import { CATALOGS } from './feeds/model-table.js';
import { modelEntry } from './feeds/simulated-models.js';
import { statisticsRow } from './feeds/simulated-statistics.js';
import { utilizationRow } from './feeds/simulated-utilization.js';
import { DEFAULT_CATALOG, type SimulatorOptions } from './simulator-options.js';

const MAX_BODY_BYTES = 128 * 1024 * 1024;
const NEXT_REQUEST_TIMEOUT_MS = 5000;

/** Chutes as its callers see it, all hosts on one port, misbehaving on request. Needs no account and no network. */
export class ChutesSimulator {
  /** Errors that scripts threw; a script that fails cuts its connection. */
  readonly scriptErrors: unknown[] = [];
  readonly #log: RequestLog;
  readonly #feeds: Feeds;
  readonly #feedRoutes: FeedRoutes;
  readonly #generation: Generation;
  #listener!: Listener;
  #isClosing = false;

  private constructor(options: SimulatorOptions) {
    const { seed = 1, tickMs = 60_000, keepRequests = 1000, keepBytes = 64 * 1024 * 1024 } = options;
    this.#log = new RequestLog(keepRequests, keepBytes);
    const simModels = options.simModels === false ? [] : SIM_MODEL_IDS.map((id) => modelEntry(id));
    this.#feeds = new Feeds(seed, tickMs, CATALOGS[options.catalog ?? DEFAULT_CATALOG], simModels);
    this.#feedRoutes = new FeedRoutes(this.#feeds);
    const pace = { firstTokenMs: 0, tokenMs: 0, ...options.pace };
    this.#generation = new Generation(seed, pace, options.requireAuth ?? false, this.#feeds);
  }

  /** Starts listening. */
  static async start(options: SimulatorOptions = {}): Promise<ChutesSimulator> {
    const simulator = new ChutesSimulator(options);
    const { host = '127.0.0.1', port = 0, tls } = options;
    simulator.#listener = await Listener.open({ host, port, tls }, (request, response) =>
      simulator.#receive(request, response),
    );
    return simulator;
  }

  /** Scheme, host and port, without a slash at the end. */
  get url(): string {
    return this.#listener.url;
  }

  /** Connections open at the moment. */
  get connections(): number {
    return this.#listener.connections;
  }

  /** Drops every connection and stops listening; leaves no timer behind. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#log.stopWaiting('The simulator was closed.');
    await this.#listener.close();
  }

  /**
   * Makes a model misbehave, whether the catalog has it or not.
   *
   * @param model an id as requests send it, or `*` for every model without a behaviour of its own
   * @param times for how many requests; then the model answers well again
   */
  behave(model: string, behaviour: Behaviour | NamedKind, { times = Infinity } = {}): void {
    this.#generation.behave(
      model,
      typeof behaviour === 'string' ? behaviourNamed(behaviour) : behaviour,
      times,
    );
  }

  /** Makes a feed misbehave until told otherwise. */
  feed(name: FeedName, behaviour: FeedBehaviour | NamedFeedBehaviour): void {
    this.#feedRoutes.behave(name, typeof behaviour === 'string' ? { kind: behaviour } : behaviour);
  }

  /** Back to the beginning: good behaviour, the seed's feeds, nothing recorded. Running exchanges go on. */
  reset(): void {
    this.#generation.reset();
    this.#feedRoutes.reset();
    this.#feeds.giveModels(undefined);
    this.#feeds.giveUtilization(undefined);
    this.#feeds.giveStatistics(undefined);
    this.#log.clear();
    this.scriptErrors.length = 0;
  }

  /** The entries of the model list. */
  get models(): readonly unknown[] {
    return this.#feeds.models.rows;
  }

  /** Replaces the model list's entries; a string stands for a complete entry with that id. */
  set models(entries: readonly unknown[] | undefined) {
    this.#feeds.giveModels(entries?.map((entry) => (typeof entry === 'string' ? modelEntry(entry) : entry)));
  }

  /** The rows of the utilization. */
  get utilization(): readonly unknown[] {
    return this.#feeds.utilization.rows;
  }

  /** Replaces the rows, which then stand still; a string stands for a complete row of that name. */
  set utilization(rows: readonly unknown[] | undefined) {
    this.#feeds.giveUtilization(rows?.map((row) => (typeof row === 'string' ? utilizationRow(row) : row)));
  }

  /** The rows of the statistics, of the last 14 days. */
  get stats(): readonly unknown[] {
    return this.#feeds.statisticsFor().rows;
  }

  /** Replaces the rows; a string stands for a complete row of that name, of today. */
  set stats(rows: readonly unknown[] | undefined) {
    this.#feeds.giveStatistics(rows?.map((row) => (typeof row === 'string' ? statisticsRow(row) : row)));
  }

  /** Moves the seed's utilization on as if time had passed. */
  advance(ticks = 1): void {
    this.#feeds.advance(ticks);
  }

  /** The last requests, the oldest first, feeds included; at most as many as `keepRequests` and `keepBytes` allow. */
  get requests(): readonly RecordedRequest[] {
    return this.#log.requests;
  }

  /** Of {@link requests} those that a model answers. */
  get generations(): readonly RecordedRequest[] {
    return this.#log.requests.filter(isGeneration);
  }

  /**
   * How many requests have arrived, kept or not.
   *
   * @param path a path without its query; without it, all generation routes together
   */
  count(path?: string): number {
    const paths = path === undefined ? GENERATION_PATHS : [path];
    return paths.reduce((sum, one) => sum + this.#log.count(one), 0);
  }

  /**
   * The earliest request that was not returned here before, waiting for it if need be. So the n-th call returns
   * the n-th request, no matter which of the two comes first.
   *
   * @param path a path without its query; without it, all generation routes
   * @throws when none arrives in time
   */
  async nextRequest(path?: string, timeoutMs = NEXT_REQUEST_TIMEOUT_MS): Promise<RecordedRequest> {
    const wanted = path === undefined ? isGeneration : (one: RecordedRequest) => one.pathname === path;
    return this.#log.next(wanted, timeoutMs);
  }

  #receive(incoming: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '', httpVersion, rawHeaders, headers } = incoming;
    const remotePort = incoming.socket.remotePort;
    const request = new RecordedRequest({ method, path: url, httpVersion, rawHeaders, headers, remotePort });
    this.#log.arrived(request);
    response.once('finish', () => request.end('answered'));
    response.once('close', () => request.end(this.#isClosing ? 'cut' : 'client-gone'));
    readBody(incoming, MAX_BODY_BYTES, (body) => {
      request.body = body ?? request.body;
      request.isReceived = true;
      this.#answer(request, response, body === undefined);
      this.#log.received(request);
    });
  }

  #answer(request: RecordedRequest, response: ServerResponse, isTooLarge: boolean): void {
    if (request.method === 'POST' && isGeneration(request) && !isTooLarge) {
      const slow = this.#generation.answer(request, response);
      return slow === undefined ? undefined : this.#run(request, response, slow);
    }
    this.#run(request, response, (exchange) => this.#answerOther(exchange, isTooLarge));
  }

  async #answerOther(exchange: Exchange, isTooLarge: boolean): Promise<void> {
    if (isTooLarge) {
      return send(exchange, REPLIES.tooLarge);
    }
    const { method } = exchange.request;
    const feed = method === 'GET' ? this.#feedRoutes.serve(exchange) : undefined;
    return feed ?? send(exchange, REPLIES.notFound);
  }

  #run(request: RecordedRequest, response: ServerResponse, act: (exchange: Exchange) => Promise<void>): void {
    const exchange = new Exchange(request, response, (how) => this.#listener.cut(response, how));
    act(exchange).catch((error: unknown) => {
      if (!(error instanceof ExchangeOver)) {
        this.scriptErrors.push(error);
        exchange.close();
      }
    });
  }
}
