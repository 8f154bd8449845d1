import { evidenceReply } from './evidence-reply.js';
import type { Exchange } from '../exchange.js';
import { type FeedBehaviour, type FeedName, serveFeed } from '../faults/feed-misbehaviour.js';
import type { Feeds, ServedDocument } from './feeds.js';
import { send } from '../faults/perform.js';

const EVIDENCE_PATH = /^\/chutes\/(.+)\/evidence$/;
const NORMAL: FeedBehaviour = { kind: 'normal' };

/** The routes that answer a GET: model list, utilization, statistics, evidence. */
export class FeedRoutes {
  readonly #behaviours = new Map<FeedName, FeedBehaviour>();

  constructor(private readonly feeds: Feeds) {}

  behave(name: FeedName, behaviour: FeedBehaviour): void {
    this.#behaviours.set(name, behaviour);
  }

  reset(): void {
    this.#behaviours.clear();
  }

  /** Answers if the path is one of these routes; otherwise returns undefined and leaves the exchange alone. */
  serve(exchange: Exchange): Promise<void> | undefined {
    const { pathname } = exchange.request;
    if (pathname === '/v1/models') {
      return this.#serveDocument(exchange, 'models', this.feeds.models);
    }
    if (pathname === '/chutes/utilization') {
      return this.#serveDocument(exchange, 'utilization', this.feeds.utilization);
    }
    if (pathname === '/invocations/stats/llm') {
      const query = new URL(exchange.request.path, 'http://simulator').searchParams;
      return this.#serveDocument(exchange, 'stats', this.feeds.statisticsFor(query));
    }
    const chute = EVIDENCE_PATH.exec(pathname)?.[1];
    return chute === undefined ? undefined : this.#serveEvidence(exchange, decoded(chute));
  }

  async #serveDocument(exchange: Exchange, name: FeedName, document: ServedDocument): Promise<void> {
    return serveFeed(exchange, this.#behaviours.get(name) ?? NORMAL, document, async () => {
      const isGzipped = /\bgzip\b/.test(String(exchange.request.headers['accept-encoding']));
      const body = isGzipped ? document.gzipped : document.bytes;
      exchange.begin(200, {
        'content-type': 'application/json',
        'content-length': String(body.length),
        vary: 'Accept-Encoding',
        ...(isGzipped ? { 'content-encoding': 'gzip' } : {}),
      });
      return exchange.end(body);
    });
  }

  async #serveEvidence(exchange: Exchange, idOrName: string): Promise<void> {
    const { feeds } = this;
    const chute = feeds.findChute(idOrName);
    const nonce = new URL(exchange.request.path, 'http://simulator').searchParams.get('nonce');
    const reply = evidenceReply(chute, nonce, feeds.confidential.indexOf(chute?.id ?? ''));
    const document = { json: reply.body, rows: [], wrap: (evidence: readonly unknown[]) => ({ evidence }) };
    return serveFeed(exchange, this.#behaviours.get('evidence') ?? NORMAL, document, () =>
      send(exchange, reply),
    );
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
