import type { Refusal } from '../openai/refusal-kind.js';
import { readError, type UpstreamError } from './upstream-error.js';

/** What of a request another model may be able to do. */
export type Incapability = Extract<Refusal, 'context' | 'ability'>;

/** More of an error body is not read. */
export const MAX_REFUSAL_BYTES = 16 * 1024;

/** How `detail` begins, by status, with what the refusal is about. The texts are those of Chutes' gateway in mid-2026. */
const BEGINNINGS: Readonly<Record<number, readonly (readonly [Refusal, RegExp])[]>> = {
  402: [['model', /^chute unavailable because the creator/i]],
  404: [['model', /^(?:model not found|no matching chute found)/i]],
  426: [['model', /^this chute does not have tee enabled/i]],
  429: [['capacity', /^(?:infrastructure is at maximum capacity|no_targets)/i]],
  500: [
    [
      'model',
      /^(?:exhausted all available targets|no infrastructure available|no result returned from upstream|unhandled exception)/i,
    ],
  ],
};

/** How a message begins that says of itself that it is about the model: those above, and the gateway's of a 503, where the status is enough. */
const ABOUT_MODEL: readonly RegExp[] = [
  ...Object.values(BEGINNINGS).flatMap((rows) =>
    rows.flatMap(([refusal, beginning]) => (refusal === 'model' ? [beginning] : [])),
  ),
  /^(?:no instances available|this chute is currently disabled)/i,
];

/** Refusals that mean the client, whatever they say, unless they are known to mean something else. */
const ACCOUNT_STATUSES: ReadonlySet<number> = new Set([401, 402, 429]);

/** What a message contains, in lower case: all parts of a row, one after the other. The texts are those of vLLM and SGLang. */
const CONTEXT_TEXTS = [
  ['maximum context length'],
  ["is longer than the model's context length"],
  ['input length', 'exceeds'],
  ['requested token count exceeds'],
] as const;
const ABILITY_TEXTS = [
  ['is not a multimodal model'],
  ['does not support image'],
  ['--tool-call-parser'],
  ['tool choice requires'],
  ['does not support tools'],
] as const;

/** From here on an engine repeats the request, as Python or JSON spells it: `'input': '…'`, `input_value='…'`. */
const ECHO = /['"](?:input|messages|content|prompt)['"]\s*:|input_value=/;

/** Whether the body of an answer with this status can say what it is about. */
export function canExplain(status: number): boolean {
  return status === 400 || Object.hasOwn(BEGINNINGS, status);
}

/**
 * What a refusal is about.
 *
 * @param body the whole body; `undefined` where less than that has been read.
 * @returns `undefined` for what is not recognised.
 */
export function refusalOf(status: number, body: Buffer | undefined): Refusal | undefined {
  const error = body && canExplain(status) && body.length <= MAX_REFUSAL_BYTES && readError(body.toString());
  return (error && refusalIn(status, error)) || (ACCOUNT_STATUSES.has(status) ? 'account' : undefined);
}

function refusalIn(status: number, error: UpstreamError): Refusal | undefined {
  if (status === 400) return incapabilityOf(error);
  return BEGINNINGS[status]?.find(([, beginning]) => beginning.test(error.detail))?.[0];
}

/** Whether an error without a status is about the model that was asked, by its code or its innermost message. */
export function isAboutModel({ message, code }: UpstreamError): boolean {
  return code === 'model_not_found' || ABOUT_MODEL.some((beginning) => beginning.test(message));
}

/** What the model cannot do of a request that its engine refuses. */
export function incapabilityOf({ message, code }: UpstreamError): Incapability | undefined {
  const echo = message.search(ECHO);
  const text = (echo === -1 ? message : message.slice(0, echo)).toLowerCase();
  if (code === 'context_length_exceeded' || holdsOneOf(text, CONTEXT_TEXTS)) return 'context';
  return holdsOneOf(text, ABILITY_TEXTS) ? 'ability' : undefined;
}

function holdsOneOf(text: string, rows: readonly (readonly string[])[]): boolean {
  return rows.some((parts) => {
    let from = 0;
    return parts.every((part) => {
      const at = text.indexOf(part, from);
      from = at + part.length;
      return at !== -1;
    });
  });
}
