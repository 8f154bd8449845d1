import type { ServerResponse } from 'node:http';
import { JSON_HEADERS, REPLIES, STREAM_HEADERS } from './chutes-replies.js';
import { contentFor } from './content.js';
import { asHostSays } from './host-errors.js';
import type { Exchange } from '../exchange.js';
import type { Feeds } from '../feeds/feeds.js';
import { type Behaviour, behaviourOfId } from '../faults/misbehaviour.js';
import { type Pace, perform, type Performance, send, wholeBody } from '../faults/perform.js';
import { type Prompt, readPrompt } from './prompt.js';
import { refusalOfCaller, refusalOfModel } from './refusals.js';
import type { RecordedRequest } from '../recorded-request.js';
import { hex, uuid } from '../seeded.js';
import { type AnswerPlan, answerTokens } from './simulated-answer.js';

interface Order {
  readonly behaviour: Behaviour;
  remaining: number;
}

const NORMAL: Behaviour = { kind: 'normal' };
const MAX_CACHED_ANSWERS = 500;
const QUOTA = 100_000;

/** The routes of the three hosts that take a model and a prompt, with the kind of their answers. */
const KIND_OF_PATH: ReadonlyMap<string, AnswerPlan['kind']> = new Map([
  ['/v1/chat/completions', 'chat'],
  ['/v1/completions', 'text'],
  ['/v1/responses', 'response'],
  ['/v1/messages', 'message'],
  ['/v1/messages/count_tokens', 'token-count'],
]);

export const GENERATION_PATHS: readonly string[] = [...KIND_OF_PATH.keys()];

export function isGeneration({ pathname }: RecordedRequest): boolean {
  return KIND_OF_PATH.has(pathname);
}

function kindOf({ pathname }: RecordedRequest): AnswerPlan['kind'] {
  return KIND_OF_PATH.get(pathname) ?? 'chat';
}

/** The routes that generate text: who answers, and how. */
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
    const refusal = refusalOfCaller(request, prompt, this.requireAuth);
    if (refusal !== undefined || typeof prompt === 'string') {
      const reply = asHostSays(kindOf(request), refusal ?? REPLIES.badContent);
      return (exchange) => send(exchange, reply);
    }
    const behaviour = this.#behaviourOf(prompt.model);
    const refused =
      behaviour === undefined ? refusalOfModel(request, prompt, kindOf(request), this.feeds) : undefined;
    if (refused !== undefined) {
      return (exchange) => send(exchange, asHostSays(kindOf(request), refused));
    }
    const show = this.#performance(request, prompt, behaviour ?? NORMAL);
    if ((behaviour ?? NORMAL).kind === 'normal' && show.pace.firstTokenMs === 0 && show.pace.tokenMs === 0) {
      answerAtOnce(response, show);
      return undefined;
    }
    return (exchange) => perform(exchange, behaviour ?? NORMAL, show);
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
    const kind = kindOf(request);
    const prose = () => this.#tokensOf(model, pace.tokens);
    const { tokens, calls } = kind === 'text' ? { tokens: prose() } : contentFor(prompt, prose);
    const isCut = prompt.maxTokens !== undefined && prompt.maxTokens < tokens.length;
    this.#answers += 1;
    const key = `${this.seed} answer ${this.#answers}`;
    return {
      plan: {
        kind,
        id: hex(key, 32),
        created: Math.floor(Date.now() / 1000),
        model,
        tokens: isCut ? tokens.slice(0, prompt.maxTokens) : tokens,
        call: calls === undefined ? undefined : { id: `call_${hex(`${key} call`, 24)}`, name: calls },
        finishReason: isCut ? 'length' : calls === undefined ? 'stop' : 'tool_calls',
        promptTokens: prompt.promptTokens,
        thinks: prompt.thinks,
      },
      pace,
      isStream: prompt.stream && kind !== 'token-count',
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
function answerAtOnce(response: ServerResponse, show: Performance): void {
  const body = wholeBody(show);
  response.writeHead(200, {
    ...show.headers,
    ...(show.isStream
      ? STREAM_HEADERS
      : { ...JSON_HEADERS, 'content-length': String(Buffer.byteLength(body)) }),
  });
  response.end(body);
}
