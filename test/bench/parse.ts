/**
 * How fast the request reader is, beside `JSON.parse` and `buffer.isUtf8`, over chats of prose, code and escaped text.
 * Measures what was built: `npx tsc -p tsconfig.build.json && node test/bench/parse.ts`, with Node 26.
 */
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type * as ModelFieldFile from '../../src/reading/asked.js';

interface Body {
  readonly bytes: Buffer;
  readonly text: string;
}

const built = new URL('../../dist/reading/asked.js', import.meta.url);
const { readAsked } = (await import(built.href)) as typeof ModelFieldFile;

const READERS: readonly (readonly [name: string, read: (body: Body) => unknown])[] = [
  ['reader', ({ bytes }) => readAsked([bytes])],
  ['JSON.parse(text)', ({ text }) => JSON.parse(text) as unknown],
  ['JSON.parse(body.toString())', ({ bytes }) => JSON.parse(bytes.toString()) as unknown],
  ['isUtf8', ({ bytes }) => isUtf8(bytes)],
];
const KINDS = ['prose', 'code', 'escaped'] as const;
/** Different bodies of each sort, for a branch predictor soon knows one by heart. */
const BODIES = 8;
const ROUNDS = 25;
const BYTES_PER_ROUND = 1 << 20;

type Kind = (typeof KINDS)[number];

let seed = 1;
/** The same integers from 0 to `below` - 1 in every run. */
function random(below: number): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
}

function pick<T>(items: readonly T[]): T {
  return items[random(items.length)] as T;
}

const ENGLISH =
  'the of and a to in he was that it his her with as had for she not at but be on they have him which said from ' +
  'all this one there were so out up what then into could some when them an your about time like no more little ' +
  'man know hands before “well” house – don’t evening lighthouse naïve';
const FOREIGN = [
  'le la les un une de du réunion déjà été à projet über Straße größer señor mañana plan café pour avec dans',
  'и в не на привет ответственный совещание решение завтра проект отчёт пожалуйста кратко API',
  '会议 总结 今天 我们 需要 请 翻译 要約 してください ありがとう 这个 项目 的 报告 ， 下周',
];
const CODE = readFileSync(
  new URL('../../node_modules/typescript/lib/typescript.js', import.meta.url),
  'utf8',
);

function sentence(words: string): string {
  const text = Array.from(
    { length: 4 + random(16) },
    () => pick(words.split(' ')) + (random(12) === 0 ? ',' : ''),
  );
  const ending = random(6) === 0 ? '.\n\n' : '. ';
  return (random(8) === 0 ? `"${text.join(' ')}"` : text.join(' ')) + ending;
}

/** A piece of text as it stands between the quotes of a JSON string, of roughly `length` bytes. */
function content(kind: Kind, length: number): string {
  if (kind === 'code') {
    const start = random(CODE.length - length);
    return JSON.stringify(CODE.slice(start, start + length)).slice(1, -1);
  }
  let text = '';
  while (text.length < length) {
    text += JSON.stringify(sentence(kind === 'prose' ? ENGLISH : pick(FOREIGN))).slice(1, -1);
    if (kind === 'escaped') text = text.replaceAll(/[^\0-\x7f]/g, inAscii);
  }
  return text;
}

/** As Python's `json.dumps` writes it unless told otherwise. */
function inAscii(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function chat(kind: Kind, size: number, modelFirst: boolean): Body {
  const messages: string[] = [];
  for (let left = size; left > 0; left -= messages.at(-1)?.length ?? 0) {
    const text = content(kind, Math.min(left, 400 + random(4000)));
    messages.push(`{"role":"${pick(['user', 'assistant'])}","content":"${text}"}`);
  }
  const model = '"model":"deepseek-ai/DeepSeek-V3-0324,Qwen/Qwen3-32B"';
  const rest = `"stream":true,"temperature":0.7,"max_tokens":1024,"messages":[${messages.join(',')}]`;
  const text = modelFirst ? `{${model},${rest}}` : `{${rest},${model}}`;
  return { bytes: Buffer.from(text), text };
}

/** Nanoseconds a byte, for each reader: the best of several rounds, in which all of them take turns. */
function measure(bodies: readonly Body[], rounds: number): number[] {
  const bytes = bodies.reduce((sum, body) => sum + body.bytes.length, 0);
  const repeats = Math.ceil(BYTES_PER_ROUND / bytes);
  const best = READERS.map(() => Infinity);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, [, read]] of READERS.entries()) {
      const started = process.hrtime.bigint();
      for (let repeat = 0; repeat < repeats; repeat += 1) for (const body of bodies) read(body);
      const elapsed = Number(process.hrtime.bigint() - started) / (repeats * bytes);
      best[index] = Math.min(best[index] ?? Infinity, elapsed);
    }
  }
  return best;
}

function print(label: string, cells: readonly string[]): void {
  const padded = cells.map((cell, index) => cell.padStart(READERS[index]?.[0].length ?? 0));
  console.log([label.padEnd(28), ...padded].join('  '));
}

function casesOf(kilobytes: number) {
  return KINDS.flatMap((kind) =>
    [true, false].map((modelFirst) => ({
      label: `${kilobytes} KB ${kind}, model ${modelFirst ? 'first' : 'last'}`,
      bodies: Array.from({ length: BODIES }, () => chat(kind, kilobytes * 1024, modelFirst)),
    })),
  );
}

const small = casesOf(1);
const large = [...casesOf(64), ...casesOf(1024)];
// Compiled code depends on what it has met: let it meet everything first.
for (const { bodies } of [...small, ...large]) measure(bodies, 2);

console.log(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}\n`);
print(
  'GB/s',
  READERS.map(([name]) => name),
);
const sums = READERS.map(() => 0);
for (const { label, bodies } of large) {
  const nanoseconds = measure(bodies, ROUNDS);
  for (const [index, each] of nanoseconds.entries()) sums[index] = (sums[index] ?? 0) + each;
  print(
    label,
    nanoseconds.map((each) => (1 / each).toFixed(2)),
  );
}
print(
  'all of them',
  sums.map((sum) => (large.length / sum).toFixed(2)),
);
print(
  'time, the reader being 1',
  sums.map((sum) => (sum / (sums[0] ?? 1)).toFixed(2)),
);

print('\nµs a body', []);
for (const { label, bodies } of small) {
  const bytes = bodies.reduce((sum, body) => sum + body.bytes.length, 0) / bodies.length;
  print(
    label,
    measure(bodies, ROUNDS).map((each) => ((each * bytes) / 1000).toFixed(2)),
  );
}
