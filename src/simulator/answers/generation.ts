import type { ServerResponse } from 'node:http';
import { modelNotFound, noInstances, type Reply, REPLIES, teeRequired } from './chutes-replies.js';
import type { Exchange } from '../exchange.js';
import type { Feeds } from '../feeds/feeds.js';
import { type Behaviour, behaviourOfId } from '../faults/misbehaviour.js';
import {
  JSON_HEADERS,
  type Pace,
  perform,
  type Performance,
  send,
  STREAM_HEADERS,
} from '../faults/perform.js';
import { type Prompt, readPrompt } from './prompt.js';
import type { RecordedRequest } from '../recorded-request.js';
import { hex, uuid } from '../seeded.js';
import { answerTokens, DONE_EVENT, jsonAnswer, streamEvents } from './simulated-answer.js';

interface Order {
  readonly behaviour: Behaviour;
  remaining: number;
}

const NORMAL: Behaviour = { kind: 'normal' };
const MAX_CACHED_ANSWERS = 500;
const QUOTA = 100_000;

/** The two routes that generate text: who answers, and how. */
export class Generation {
  readonly #orders = new Map<string, Order>();
  readonly #tokens = new Map<string, readonly string[]>();
  #answers = 0;

  constructor(
    private readonly seed: number,
    private readonly pace: Pace,
    private readonly requireAuth: boolean,
    private readonly feeds: Feeds,
  ) {}

  behave(model: string, behaviour: Behaviour, times: number): void {
    this.#orders.set(model, { behaviour, remaining: times });
  }

  reset(): void {
    this.#orders.clear();
  }

  /** Answers at once where nothing has to wait; otherwise returns what is to be done. */
  answer(
    request: RecordedRequest,
    response: ServerResponse,
  ): ((exchange: Exchange) => Promise<void>) | undefined {
    const prompt = readPrompt(request.body);
    if (typeof prompt !== 'string') {
      request.model = prompt.model;
      request.stream = prompt.stream;
    }
    const refusal = this.#refusalOfCaller(request, prompt);
    if (refusal !== undefined || typeof prompt === 'string') {
      return (exchange) => send(exchange, refusal ?? REPLIES.badContent);
    }
    const behaviour = this.#behaviourOf(prompt.model);
    const refused = behaviour === undefined ? this.#refusalOfModel(request, prompt.model) : undefined;
    if (refused !== undefined) {
      return (exchange) => send(exchange, refused);
    }
    const show = this.#performance(request, prompt, behaviour ?? NORMAL);
    if ((behaviour ?? NORMAL).kind === 'normal' && show.pace.firstTokenMs === 0 && show.pace.tokenMs === 0) {
      answerAtOnce(response, show);
      return undefined;
    }
    return (exchange) => perform(exchange, behaviour ?? NORMAL, show);
  }

  #refusalOfCaller(
    { headers }: RecordedRequest,
    prompt: Prompt | 'bad-json' | 'bad-content',
  ): Reply | undefined {
    const { authorization } = headers;
    if (authorization === undefined && this.requireAuth) {
      return REPLIES.unauthenticated;
    }
    if (authorization !== undefined && /^bearer +cpk_invalid$/i.test(authorization)) {
      return REPLIES.unauthorized;
    }
    return prompt === 'bad-json'
      ? REPLIES.badJson
      : prompt === 'bad-content'
        ? REPLIES.badContent
        : undefined;
  }

  #refusalOfModel({ headers }: RecordedRequest, model: string): Reply | undefined {
    const entry = this.feeds.find(model);
    if (entry === undefined) {
      return modelNotFound(model);
    }
    if (headers['x-tee-only'] === 'true' && entry.confidential_compute !== true) {
      return teeRequired(entry.id);
    }
    return this.feeds.isIdle(entry.id) ? noInstances(entry.id) : undefined;
  }

  #behaviourOf(model: string): Behaviour | undefined {
    const spelledOtherwise = this.feeds.find(model)?.id ?? model;
    const order = this.#orders.get(model) ?? this.#orders.get(spelledOtherwise) ?? this.#orders.get('*');
    if (order === undefined || order.remaining <= 0) {
      return behaviourOfId(model);
    }
    order.remaining -= 1;
    return order.behaviour;
  }

  #performance(request: RecordedRequest, prompt: Prompt, behaviour: Behaviour): Performance {
    const model = this.feeds.find(prompt.model)?.id ?? prompt.model;
    const pace = { ...this.pace, ...(behaviour.kind === 'normal' ? behaviour : {}) };
    const tokens = this.#tokensOf(model, pace.tokens);
    const isCut = prompt.maxTokens !== undefined && prompt.maxTokens < tokens.length;
    this.#answers += 1;
    const key = `${this.seed} answer ${this.#answers}`;
    return {
      plan: {
        kind: request.pathname === '/v1/completions' ? 'text' : 'chat',
        id: hex(key, 32),
        created: Math.floor(Date.now() / 1000),
        model,
        tokens: isCut ? tokens.slice(0, prompt.maxTokens) : tokens,
        finishReason: isCut ? 'length' : 'stop',
        promptTokens: Math.ceil(request.body.length / 4),
        includeUsage: prompt.includeUsage,
      },
      pace,
      isStream: prompt.stream,
      headers: {
        'X-Chutes-InvocationID': uuid(key),
        'X-Chutes-Quota-Total': String(QUOTA),
        'X-Chutes-Quota-Used': String(this.#answers % QUOTA),
        'X-Chutes-Quota-Remaining': String(QUOTA - (this.#answers % QUOTA)),
        'X-Chutes-RL-User': '600',
        'X-Chutes-RL-Chute': '60',
        'X-Chutes-Invoice-Billing': 'false',
      },
    };
  }

  #tokensOf(model: string, count: number | undefined): readonly string[] {
    const key = `${count ?? ''} ${model}`;
    const known = this.#tokens.get(key);
    if (known !== undefined) {
      return known;
    }
    if (this.#tokens.size >= MAX_CACHED_ANSWERS) {
      this.#tokens.clear();
    }
    const tokens = answerTokens(this.seed, model, count);
    this.#tokens.set(key, tokens);
    return tokens;
  }
}

/** Benchmarks count on this: one write, no promise, no timer. */
function answerAtOnce(response: ServerResponse, { plan, isStream, headers }: Performance): void {
  const body = isStream ? streamEvents(plan).join('') + DONE_EVENT : jsonAnswer(plan);
  response.writeHead(200, {
    ...headers,
    ...(isStream ? STREAM_HEADERS : { ...JSON_HEADERS, 'content-length': String(Buffer.byteLength(body)) }),
  });
  response.end(body);
}
