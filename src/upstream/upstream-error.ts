import { isJsonObject, type JsonObject, parseObject } from './json.js';

/** What an error of the upstream says, in the gateway's words and in those of the engine behind it. */
export interface UpstreamError {
  /** The text of `detail`, or of its `message`; empty where there is none. */
  readonly detail: string;
  /** The innermost message; empty where there is none. */
  readonly message: string;
  /** The innermost `code` on the way there. */
  readonly code: unknown;
}

/** More than any error has; each level of text in text nearly doubles its escapes. */
const MAX_DEPTH = 32;
/** Where messages are, the outer shape first. */
const KEYS = ['error', 'detail', 'message', 'msg'] as const;

/**
 * Reads an error body: Chutes' `{"detail": …}` or an engine's own (`{"error":{"message":…}}`, `{"object":"error","message":…}`).
 * Chutes nests the engine's in its own, as text behind a few words.
 *
 * @returns `undefined` for what is no JSON object.
 */
export function readError(body: JsonObject | string): UpstreamError | undefined {
  const error = typeof body === 'string' ? parseObject(body) : body;
  if (!error) return undefined;
  const { message = '', code } = innermost(error, MAX_DEPTH) ?? {};
  return { detail: textOf(error['detail']), message, code };
}

/** The innermost message of an error in whatever shape; `undefined` where it holds none. */
export function deepestMessage(error: unknown): string | undefined {
  return innermost(error, MAX_DEPTH)?.message;
}

function textOf(detail: unknown): string {
  const text = isJsonObject(detail) ? detail['message'] : detail;
  return typeof text === 'string' ? text : '';
}

interface Innermost {
  readonly message: string;
  readonly code: unknown;
}

/** Each text is parsed at most once per level, so that it takes time in proportion to its size. */
function innermost(value: unknown, depth: number): Innermost | undefined {
  if (typeof value === 'string') return innermostOfText(value, depth);
  if (depth === 0 || typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) return innermostOfList(value, depth);
  const object = value as JsonObject;
  for (const key of KEYS) {
    const found = innermost(object[key], depth - 1);
    if (found) return { message: found.message, code: found.code ?? object['code'] };
  }
  return undefined;
}

function innermostOfText(text: string, depth: number): Innermost | undefined {
  const start = text.indexOf('{');
  const nested =
    start === -1 || depth === 0 ? undefined : parseObject(text.slice(start, text.lastIndexOf('}') + 1));
  const found = nested && innermost(nested, depth - 1);
  return found ?? (text === '' ? undefined : { message: text, code: undefined });
}

/** What FastAPI finds wrong with a request is a list, of which each item has its own message. */
function innermostOfList(items: readonly unknown[], depth: number): Innermost | undefined {
  const found = items.flatMap((item) => innermost(item, depth - 1) ?? []);
  const [first] = found;
  return first && { message: found.map(({ message }) => message).join('; '), code: first.code };
}
