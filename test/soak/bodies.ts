import type { Random } from '../support/random.ts';
import type { CallMode } from './call.ts';
import { ALIAS, type World } from './world.ts';

/** Nothing of it may change on the way: numbers, escapes, white space, repeated keys, other scripts. */
const FILLER = [
  '"temperature":1.0',
  '"seed":9007199254740993',
  '"top_p" :  1e-400',
  '"logit_bias":{"1":1e400,"2":-0}',
  '"metadata":{"model":"not this one","stream":true}',
  '"user":"\\u00e9\\ud83d\\ude00 \\/"',
  '"user":"é😀"',
  '"stop":["\\n","\\"model\\":\\"x\\""]',
];
const TEXT =
  'It was a bright cold day in April, and the clocks were striking thirteen — “große Straße”, 日本語. ';
/** Of the prompts, on average. */
export const BYTES_PER_CHARACTER = Buffer.byteLength(TEXT) / TEXT.length;
const PROSE = TEXT.repeat(Math.ceil(1_000_000 / Buffer.byteLength(TEXT)));

export interface CompletionBody {
  readonly mode: CallMode;
  readonly bytes: Buffer;
  /** The bytes as the upstream is to get them. */
  readonly bodyFor: (model: string) => Buffer;
}

/** @param characters of the prompt */
export function completionBody(
  random: Random,
  world: World,
  isStream: boolean,
  characters = random.between(1, 2_000),
): CompletionBody {
  const { mode, model } = modelOf(random, world);
  const fields = [
    `"messages":[{"role":"user","content":${JSON.stringify(PROSE.slice(0, characters))}}]`,
    ...random.some(FILLER, random.below(4)),
    ...(isStream ? ['"stream":true'] : random.chance(0.3) ? ['"stream":false'] : []),
  ];
  const place = random.below(fields.length + 1);
  const before = `{${fields
    .slice(0, place)
    .map((field) => `${field}, `)
    .join('')}"model":`;
  const after = `${fields
    .slice(place)
    .map((field) => `,${field}`)
    .join('')}}`;
  const bodyFor = (value: string) => Buffer.from(before + JSON.stringify(value) + after);
  const bytes = bodyFor(model);
  return { mode, bytes, bodyFor: mode === 'direct' ? () => bytes : bodyFor };
}

function modelOf(random: Random, world: World): { mode: CallMode; model: string } {
  const what = random.below(10);
  if (what < 4) return { mode: 'alias', model: ALIAS };
  if (what < 6) {
    const model = random.pick(world.models);
    return { mode: 'direct', model: random.chance(0.1) ? `${model}:fast` : model };
  }
  const items = random.some(world.models, random.between(1, 6));
  if (random.chance(0.2)) items.splice(random.below(items.length), 0, ALIAS);
  return {
    mode: 'list',
    model: items.join(random.pick([',', ', ', ' ,, '])) + (items.length === 1 ? ',' : ''),
  };
}

/** The pieces that a body is sent in. */
export function piecesOf(bytes: Buffer, count: number): Buffer[] {
  const size = Math.ceil(bytes.length / count);
  return Array.from({ length: count }, (_, n) => bytes.subarray(n * size, (n + 1) * size));
}
