import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { World } from './world.ts';

/** Of one request, its answer included. */
const TIMEOUT_MS = 60_000;
const MESSAGES = [{ role: 'user', content: 'Say hello.' }];
/** Where tokens cost something, a few will do. */
const MAX_TOKENS = 16;

/** An answer, as far as it came. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** From the first piece of the body to the last. */
  readonly spreadMs: number;
  /** Whether the body had a clean end. */
  readonly isWhole: boolean;
}

export interface Request {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A client with a session of its own, so that no case depends on the pins of another. */
export class Client {
  readonly world: World;
  readonly #session = randomUUID();

  constructor(world: World) {
    this.world = world;
  }

  /** Asks for a path. */
  async ask(path: string, { method = 'GET', headers = {}, body }: Request = {}): Promise<Answer> {
    const response = await fetch(this.world.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.world.key}`,
        'content-type': 'application/json',
        'x-session-id': this.#session,
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return answerOf(response);
  }

  /** Asks a model to chat. */
  async chat(model: string, { stream = false, headers = {} } = {}): Promise<Answer> {
    const body = JSON.stringify({ model, stream, max_tokens: MAX_TOKENS, messages: MESSAGES });
    return this.post(body, { headers });
  }

  /** Posts a body as it is. */
  async post(body: string, { path = '/v1/chat/completions', headers = {} } = {}): Promise<Answer> {
    return this.ask(path, { method: 'POST', headers, body });
  }
}

/** The model that an alias or list request was answered by, and after how many attempts. */
export function choiceOf({ headers }: Answer): { selected: string | null; attempts: number } {
  return {
    selected: headers.get('x-chutes-autopilot-selected'),
    attempts: Number(headers.get('x-chutes-autopilot-attempts')),
  };
}

/** The error of an answer, which must have the shape of OpenAI's. */
export function errorOf({ text, headers }: Answer): Readonly<Record<string, unknown>> {
  assert.match(headers.get('content-type') ?? '', /^application\/json\b/);
  const { error } = JSON.parse(text) as { error: Readonly<Record<string, unknown>> };
  assert.deepEqual(Object.keys(error).toSorted(), ['code', 'message', 'param', 'type']);
  assert.equal(typeof error['message'], 'string');
  return error;
}

/** That an answer is a good one; its text goes into the complaint if not. */
export function assertOk({ status, text }: Answer): void {
  assert.equal(status, 200, `It was ${status}: ${text.slice(0, 200)}`);
}

async function answerOf(response: Response): Promise<Answer> {
  const pieces: Uint8Array[] = [];
  const arrivals: number[] = [];
  let isWhole = true;
  try {
    for await (const piece of response.body ?? []) {
      pieces.push(piece);
      arrivals.push(performance.now());
    }
  } catch (error) {
    if (error instanceof DOMException) throw error;
    isWhole = false;
  }
  const { status, headers } = response;
  const spreadMs = (arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0);
  return { status, headers, text: Buffer.concat(pieces).toString(), spreadMs, isWhole };
}
