import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ChatOpenAI } from '@langchain/openai';
import { streamText } from 'ai';
import OpenAI, { APIError } from 'openai';
import type { Behaviour } from '../src/simulator/faults/misbehaviour.js';
import { ClientStage, FIRST, KEY } from './support/client-stage.js';
import { failureOf } from './support/failure-of.js';

// A comment comes after a second at the earliest.
jest.setTimeout(60_000);

const PROMPT = 'Hello';
/** Longer than clients are left in silence. */
const SILENCE_MS = 1_300;

let stage: ClientStage;

beforeEach(async () => {
  stage = await ClientStage.set({ SSE_KEEPALIVE_SECS: '1' });
});

afterEach(async () => {
  await stage.clear();
});

/** What comes behind the comments, and what clients make of it. */
const BREAKS: [clause: string, what: string, behaviour: Behaviour, seen: object][] = [
  [
    'ATT-74',
    'a full model',
    after(
      (exchange) => exchange.head(429, { 'content-type': 'application/json' }),
      '{"detail":"no_targets"}',
    ),
    { message: 'no_targets', code: 'model_at_capacity', type: 'rate_limit_error' },
  ],
  ['ATT-75', 'an answer that never comes', after((exchange) => exchange.reset()), { code: 'upstream_reset' }],
  [
    'ATT-73',
    'a stream that breaks',
    after(async (exchange) => {
      await exchange.head(200, { 'content-type': 'text/event-stream' });
      await exchange.event({ choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: null }] });
    }),
    { code: 'upstream_stream_interrupted' },
  ],
];

type Script = Extract<Behaviour, { kind: 'scripted' }>['script'];

function after(script: Script, body?: string): Behaviour {
  return {
    kind: 'scripted',
    script: async (exchange) => {
      await exchange.sleep(SILENCE_MS);
      await script(exchange);
      if (body !== undefined) await exchange.end(body);
    },
  };
}

const WELL: Behaviour = { kind: 'slow-headers', ms: SILENCE_MS };

async function streamOfOpenAi() {
  const client = new OpenAI({ baseURL: stage.baseURL, apiKey: KEY, logLevel: 'off' });
  const messages = [{ role: 'user' as const, content: PROMPT }];
  return Array.fromAsync(await client.chat.completions.create({ model: FIRST, messages, stream: true }));
}

describe('behind comments, openai', () => {
  test('ATT-73, RTE-21: reads an answer', async () => {
    stage.chutes.behave(FIRST, WELL);
    const chunks = await streamOfOpenAi();
    expect(chunks.some(({ choices: [choice] }) => choice?.finish_reason === 'stop')).toBe(true);
    expect(chunks.map(({ choices: [choice] }) => choice?.delta.content ?? '').join('')).toContain(FIRST);
  });

  test.each(BREAKS)('%s, RTE-21: raises, and asks once: %s', async (_clause, _, behaviour, expected) => {
    stage.chutes.behave(FIRST, behaviour);
    expect(await failureOf(streamOfOpenAi(), APIError)).toMatchObject(expected);
    expect(stage.models).toEqual([FIRST]);
  });
});

async function streamOfLangChain() {
  const configuration = { baseURL: stage.baseURL };
  const chat = new ChatOpenAI({ model: FIRST, apiKey: KEY, configuration, maxRetries: 0 });
  return Array.fromAsync(await chat.stream(PROMPT));
}

describe('behind comments, LangChain', () => {
  test('ATT-73, RTE-21: reads an answer', async () => {
    stage.chutes.behave(FIRST, WELL);
    expect((await streamOfLangChain()).map(({ text }) => text).join('')).toContain(FIRST);
  });

  test.each(BREAKS)('%s, RTE-21: raises: %s', async (_clause, _, behaviour, expected) => {
    stage.chutes.behave(FIRST, behaviour);
    expect(await failureOf(streamOfLangChain(), APIError)).toMatchObject(expected);
  });
});

function streamOfAiSdk() {
  const errors: unknown[] = [];
  const chutes = createOpenAICompatible({ name: 'chutes', baseURL: stage.baseURL, apiKey: KEY });
  const onError = ({ error }: { error: unknown }) => void errors.push(error);
  return { errors, result: streamText({ model: chutes(FIRST), prompt: PROMPT, maxRetries: 0, onError }) };
}

describe('behind comments, AI SDK', () => {
  test('ATT-73, RTE-21: reads an answer', async () => {
    stage.chutes.behave(FIRST, WELL);
    const { errors, result } = streamOfAiSdk();
    expect(await result.text).toContain(FIRST);
    expect([errors, await result.finishReason]).toEqual([[], 'stop']);
  });

  test.each(BREAKS)('%s, RTE-21: tells of an error: %s', async (_clause, _, behaviour, expected) => {
    stage.chutes.behave(FIRST, behaviour);
    const { errors, result } = streamOfAiSdk();
    await Array.fromAsync(result.textStream);
    expect(errors).toMatchObject([expected]);
    expect(await result.finishReason).toBe('error');
  });
});
