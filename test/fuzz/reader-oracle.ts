import { isUtf8 } from 'node:buffer';
import { jsonTree } from '../support/json-tree.ts';
import { type ExpectedNeeds, expectedNeeds } from './needs-oracle.ts';

const MAX_DEPTH = 1000;
/** Tokens of a text that is known to be JSON. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** What is to come of a body: an error's code, or what it asks for. */
export type Expected = string | ExpectedFields;

export interface ExpectedFields extends ExpectedNeeds {
  readonly model: string;
  readonly stream: boolean;
}

/** What the specification says of a body, by way of `JSON.parse`. */
export function expectedOf(body: Buffer): Expected {
  if (!isUtf8(body)) return 'invalid_json';
  const text = body.toString();
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return 'invalid_json';
  }
  const { depth, models, stream } = scan(text);
  if (depth > MAX_DEPTH) return 'invalid_json';
  if (typeof root !== 'object' || root === null || Array.isArray(root)) return 'invalid_body';
  if (models > 1) return 'duplicate_model';
  const { model } = root as { model?: unknown };
  if (typeof model !== 'string' || model === '') return 'missing_model';
  return { model, stream, ...expectedNeeds(text, jsonTree(text)) };
}

/** What `JSON.parse` does not tell: the greatest depth, and which of its own keys an object repeats. */
function scan(text: string): { depth: number; models: number; stream: boolean } {
  const tokens = text.match(TOKEN) ?? [];
  let depth = 0;
  let deepest = 0;
  let models = 0;
  let stream = false;
  for (const [n, token] of tokens.entries()) {
    if (token === '{' || token === '[') deepest = Math.max(deepest, (depth += 1));
    else if (token === '}' || token === ']') depth -= 1;
    else if (depth === 1 && token.startsWith('"') && tokens[n + 1] === ':') {
      const key: unknown = JSON.parse(token);
      if (key === 'model') models += 1;
      if (key === 'stream') stream = tokens[n + 2] === 'true';
    }
  }
  return { depth: deepest, models, stream };
}
