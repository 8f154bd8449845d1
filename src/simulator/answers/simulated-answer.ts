import { fraction } from '../seeded.js';

/** What the answer has to say and how; pure data, so that the same prompt gives the same answer. */
export interface AnswerPlan {
  readonly kind: 'chat' | 'text' | 'response' | 'message' | 'token-count';
  /** The answer's own id, without its prefix. */
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly model: string;
  readonly tokens: readonly string[];
  /** Where given, the answer calls this function, and the tokens are the call's arguments. */
  readonly call?: { readonly id: string; readonly name: string } | undefined;
  readonly finishReason: 'stop' | 'length' | 'tool_calls';
  readonly promptTokens: number;
  /** Whether the answer begins with thoughts, as far as its API has any. */
  readonly thinks?: boolean;
}

const OPENINGS = [
  'Hello from the simulated',
  'You have reached the simulated',
  'This answer was made up by the simulated',
];

const SENTENCES = [
  'The router looked at the free capacity of every model and sent you here.',
  'A request is like a letter: the envelope changes hands, the words inside stay yours.',
  'Had I been down, the next candidate would have answered before you noticed.',
  'Busy models are skipped, idle ones are left asleep, and the rest are ranked.',
  'Come back with the same key and you will find me again, as long as I keep up.',
  'Every token travels on its own, so you read this while I am still writing it.',
  'No prompt was stored along the way, and nobody read this answer before you.',
  'When the roads are full, a good dispatcher says so instead of making you wait.',
  'The shortest queue is not always the fastest, but it is a fine place to start.',
  'If you named several models, the first one that was well got the job.',
];

/**
 * The words of a model's answer: a few sentences, cut into tokens.
 *
 * @param count how many tokens; without it, as many as the sentences have
 */
export function answerTokens(seed: number, model: string, count?: number): string[] {
  const opening = OPENINGS[Math.floor(fraction(`${seed} opening ${model}`) * OPENINGS.length)] ?? '';
  const chosen = SENTENCES.map((sentence) => ({ sentence, rank: fraction(`${seed} ${model} ${sentence}`) }))
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, 4)
    .map(({ sentence }) => sentence);
  const words = [`${opening} ${model}.`, ...chosen].join(' ').match(/ ?[^ ]+/g) ?? [];
  return count === undefined ? words : Array.from({ length: count }, (_, index) => repeated(words, index));
}

/** The body of an answer that is not streamed. */
export function jsonAnswer(plan: AnswerPlan): string {
  const said = plan.kind === 'chat' ? { message: messageOf(plan) } : { text: plan.tokens.join('') };
  return JSON.stringify({
    id: idOf(plan),
    object: plan.kind === 'chat' ? 'chat.completion' : 'text_completion',
    created: plan.created,
    model: plan.model,
    choices: [{ index: 0, ...said, logprobs: null, finish_reason: plan.finishReason }],
    usage: usageOf(plan),
  });
}

/**
 * The server-sent events of a streamed answer, one per token and a few around them, without the final `[DONE]`. The last
 * one has no choice and the usage, asked for or not, as Chutes sends it.
 */
export function streamEvents(plan: AnswerPlan): string[] {
  const head = JSON.stringify({
    id: idOf(plan),
    object: plan.kind === 'chat' ? 'chat.completion.chunk' : 'text_completion',
    created: plan.created,
    model: plan.model,
  }).slice(0, -1);
  const event = (said: string, reason: string) =>
    `data: ${head},"choices":[{"index":0,${said},"logprobs":null,"finish_reason":${reason}}]}\n\n`;
  const { first, between, last } = framesOf(plan);
  // Cut around the token once, since benchmarks count on streams that cost little to make.
  const [before = '', after = ''] = event(between, 'null').split(TOKEN);
  return [
    ...first.map((said) => event(said, 'null')),
    ...plan.tokens.map((token) => before + JSON.stringify(token) + after),
    event(last, JSON.stringify(plan.finishReason)),
    `data: ${head},"choices":[],"usage":${JSON.stringify(usageOf(plan))}}\n\n`,
  ];
}

/** Stands for a token: nothing in JSON looks like it. */
const TOKEN = '\0';

/** What stands in the choice of the events before the tokens, of each token, and of the last one. */
function framesOf({ kind, call }: AnswerPlan): { first: string[]; between: string; last: string } {
  if (kind === 'text') return { first: [], between: `"text":${TOKEN}`, last: '"text":""' };
  if (call === undefined) {
    return {
      first: ['"delta":{"role":"assistant","content":""}'],
      between: `"delta":{"content":${TOKEN}}`,
      last: '"delta":{}',
    };
  }
  const begun = { index: 0, id: call.id, type: 'function', function: { name: call.name, arguments: '' } };
  return {
    first: [
      '"delta":{"role":"assistant","content":null}',
      `"delta":{"tool_calls":[${JSON.stringify(begun)}]}`,
    ],
    between: `"delta":{"tool_calls":[{"index":0,"function":{"arguments":${TOKEN}}}]}`,
    last: '"delta":{}',
  };
}

function messageOf({ tokens, call }: AnswerPlan): Readonly<Record<string, unknown>> {
  const text = tokens.join('');
  if (call === undefined) return { role: 'assistant', content: text };
  const called = { id: call.id, type: 'function', function: { name: call.name, arguments: text } };
  return { role: 'assistant', content: null, tool_calls: [called] };
}

function repeated(words: readonly string[], index: number): string {
  const word = words[index % words.length] ?? '';
  return index > 0 && index % words.length === 0 ? ` ${word}` : word;
}

function idOf({ kind, id }: AnswerPlan): string {
  return `${kind === 'chat' ? 'chatcmpl' : 'cmpl'}-${id}`;
}

function usageOf({ promptTokens, tokens }: AnswerPlan): Readonly<Record<string, unknown>> {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: tokens.length,
    total_tokens: promptTokens + tokens.length,
    prompt_tokens_details: null,
  };
}
