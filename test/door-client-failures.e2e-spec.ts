import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic, * as anthropic from '@anthropic-ai/sdk';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Agent, OpenAIProvider, Runner } from '@openai/agents';
import { APICallError, generateText, StreamProviderError, streamText } from 'ai';
import OpenAI, * as openai from 'openai';
import type { Behaviour, NamedKind } from '../src/simulator/faults/misbehaviour.js';
import { ALIAS, ClientStage, FIRST, KEY, SECOND } from './support/client-stage.js';
import { thrownBy } from './support/failure-of.js';

type ErrorClass = abstract new (...args: never) => Error;

/** A client, what it does, and what it throws. */
interface Client {
  ask(stage: ClientStage, model: string): Promise<unknown>;
  read(stage: ClientStage, model: string): Promise<unknown>;
  readonly badRequest: ErrorClass;
  readonly rateLimit: ErrorClass;
  readonly unavailable: ErrorClass;
  /** Of a stream that is cut. */
  readonly broken: ErrorClass;
  /** Of one that ends well with an error of its own. */
  readonly reported: ErrorClass;
}

const HELLO = [{ role: 'user' as const, content: 'Hello' }];
const messages = (model: string) => ({ model, max_tokens: 100, messages: HELLO });
const openaiFor = ({ baseURL }: ClientStage) =>
  new OpenAI({ baseURL, apiKey: KEY, maxRetries: 0, logLevel: 'off' });
const anthropicFor = ({ address }: ClientStage) =>
  new Anthropic({ baseURL: address, apiKey: KEY, maxRetries: 0, logLevel: 'off' });

function agent(stage: ClientStage, model: string): { run: (stream: boolean) => Promise<unknown> } {
  const modelProvider = new OpenAIProvider({ openAIClient: openaiFor(stage), useResponses: true });
  const runner = new Runner({ modelProvider, tracingDisabled: true });
  const asked = new Agent({ name: 'Greeter', model });
  return {
    run: async (stream) => {
      if (!stream) return runner.run(asked, 'Hello');
      const result = await runner.run(asked, 'Hello', { stream: true });
      await Array.fromAsync(result.toTextStream());
      return result.completed;
    },
  };
}

/** The AI SDK tells some errors of a stream to `onError` alone. */
async function aiStream(model: Parameters<typeof streamText>[0]['model']): Promise<unknown> {
  const errors: unknown[] = [];
  const onError = ({ error }: { error: unknown }) => void errors.push(error);
  const result = streamText({ model, prompt: 'Hello', maxOutputTokens: 100, maxRetries: 0, onError });
  await Array.fromAsync(result.textStream);
  if (errors.length > 0) throw errors[0];
  return result.text;
}

const aiOpenai = ({ baseURL }: ClientStage, model: string) => createOpenAI({ baseURL, apiKey: KEY })(model);
const aiAnthropic = ({ baseURL }: ClientStage, model: string) =>
  createAnthropic({ baseURL, apiKey: KEY })(model);
const AI = { maxRetries: 0, maxOutputTokens: 100, prompt: 'Hello' };
const AI_ERRORS = {
  badRequest: APICallError,
  rateLimit: APICallError,
  unavailable: APICallError,
  broken: APICallError,
  reported: StreamProviderError,
};
const OPENAI_ERRORS = {
  badRequest: openai.BadRequestError,
  rateLimit: openai.RateLimitError,
  unavailable: openai.InternalServerError,
  broken: openai.APIError,
  reported: openai.APIError,
};

const CLIENTS: Readonly<Record<string, Client>> = {
  openai: {
    ...OPENAI_ERRORS,
    ask: async (stage, model) => openaiFor(stage).responses.create({ model, input: 'Hello' }),
    read: async (stage, model) =>
      Array.fromAsync(await openaiFor(stage).responses.create({ model, input: 'Hello', stream: true })),
  },
  '@openai/agents': {
    ...OPENAI_ERRORS,
    ask: async (stage, model) => agent(stage, model).run(false),
    read: async (stage, model) => agent(stage, model).run(true),
  },
  '@ai-sdk/openai': {
    ...AI_ERRORS,
    ask: async (stage, model) => generateText({ ...AI, model: aiOpenai(stage, model) }),
    read: async (stage, model) => aiStream(aiOpenai(stage, model)),
  },
  '@anthropic-ai/sdk': {
    badRequest: anthropic.BadRequestError,
    rateLimit: anthropic.RateLimitError,
    unavailable: anthropic.InternalServerError,
    broken: anthropic.APIError,
    reported: anthropic.APIError,
    ask: async (stage, model) => anthropicFor(stage).messages.create(messages(model)),
    read: async (stage, model) => anthropicFor(stage).messages.stream(messages(model)).finalMessage(),
  },
  '@ai-sdk/anthropic': {
    ...AI_ERRORS,
    ask: async (stage, model) => generateText({ ...AI, model: aiAnthropic(stage, model) }),
    read: async (stage, model) => aiStream(aiAnthropic(stage, model)),
  },
};

let stage: ClientStage;

beforeEach(async () => {
  stage = await ClientStage.set();
});

afterEach(async () => {
  await stage.clear();
});

function failing(behaviour: Behaviour | NamedKind): void {
  stage.chutes.behave('*', behaviour);
}

describe.each(Object.entries(CLIENTS))('%s', (_, client) => {
  test.each(['ask', 'read'] as const)('DOR-11: an unknown model is its bad request: %s', async (how) => {
    const error = await thrownBy(client[how](stage, 'nobody'));
    expect(error).toBeInstanceOf(client.badRequest);
    expect(String(error)).toContain('Not in the model catalog');
    expect(stage.models).toEqual([]);
  });

  test.each(['ask', 'read'] as const)('DOR-11: a 429 is its rate limit, tried once: %s', async (how) => {
    failing('at-capacity');
    const error = await thrownBy(client[how](stage, ALIAS));
    expect(error).toBeInstanceOf(client.rateLimit);
    expect(String(error)).toContain('Infrastructure is at maximum capacity');
    expect(stage.models).toEqual([FIRST]);
  });

  test.each(['ask', 'read'] as const)('DOR-11: a 503 of all models is its server error: %s', async (how) => {
    failing('unavailable');
    const error = await thrownBy(client[how](stage, ALIAS));
    expect(error).toBeInstanceOf(client.unavailable);
    expect(error).toMatchObject(error instanceof APICallError ? { statusCode: 503 } : { status: 503 });
    expect(stage.models).toEqual([FIRST, SECOND]);
  });

  test('DOR-11: a stream that is cut throws where it is read', async () => {
    failing({ kind: 'cut-stream', afterChunks: 8 });
    expect(await thrownBy(client.read(stage, FIRST))).toBeInstanceOf(client.broken);
  });

  test('DOR-11: so does one that ends in the middle', async () => {
    failing({ kind: 'unfinished', afterChunks: 8 });
    const error = await thrownBy(client.read(stage, FIRST));
    expect(error).toBeInstanceOf(client.reported);
    expect(String(error)).toContain('The upstream broke off');
  });

  test('DOR-11: a stream that begins with an error throws if nobody else is left, and moves on else', async () => {
    failing('first-event-error');
    const error = await thrownBy(client.read(stage, ALIAS));
    expect(error).toBeInstanceOf(client.broken);
    expect(stage.models).toEqual([FIRST, SECOND]);
    failing('normal');
    stage.chutes.behave(FIRST, 'first-event-error');
    await client.read(stage, ALIAS);
  });
});
