import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { APICallError, generateText, streamText } from 'ai';
import type { NamedKind } from '../src/simulator/faults/misbehaviour.js';
import { ClientStage, FIRST, KEY } from './support/client-stage.js';

let stage: ClientStage;

beforeEach(async () => {
  stage = await ClientStage.set({ UPSTREAM_IDLE_TIMEOUT_MS: '200' });
});

afterEach(async () => {
  await stage.clear();
});

function request() {
  const chutes = createOpenAICompatible({ name: 'chutes', baseURL: stage.baseURL, apiKey: KEY });
  return { model: chutes(FIRST), prompt: 'Hello', maxRetries: 0 };
}

function stream() {
  const errors: unknown[] = [];
  const onError = ({ error }: { error: unknown }) => void errors.push(error);
  return { errors, result: streamText({ ...request(), onError }) };
}

describe('an answer in one piece', () => {
  test.each<NamedKind>(['cut-stream', 'truncated', 'stall'])(
    'ATT-34, RTE-21: that breaks is an error: %s',
    async (kind) => {
      stage.chutes.behave(FIRST, kind);
      await expect(generateText(request())).rejects.toBeInstanceOf(APICallError);
    },
  );
});

describe('a stream', () => {
  const BREAKS: [NamedKind, string][] = [
    ['cut-stream', 'upstream_stream_interrupted'],
    ['truncated', 'upstream_stream_interrupted'],
    ['stall', 'upstream_idle_timeout'],
  ];

  test.each(BREAKS)('ATT-35, RTE-21: that breaks throws where its text is read: %s', async (kind, code) => {
    stage.chutes.behave(FIRST, kind);
    const { errors, result } = stream();
    await expect(Array.fromAsync(result.textStream)).rejects.toBeInstanceOf(APICallError);
    expect(errors.at(-1)).toMatchObject({ code });
  });

  test.each(BREAKS)('ATT-34, RTE-21: that breaks has no whole text: %s', async (kind) => {
    stage.chutes.behave(FIRST, kind);
    const { result } = stream();
    await expect(result.text).rejects.toBeInstanceOf(APICallError);
  });
});

// The connection ends as Chutes ends it, cleanly; errors within a stream are told to `onError` alone.
test("ATT-38, RTE-21: Chutes' own error goes to onError and makes the finish reason an error", async () => {
  stage.chutes.behave(FIRST, 'unframed-error');
  const { errors, result } = stream();
  await Array.fromAsync(result.textStream);
  expect(errors).toMatchObject([{ code: 'upstream_stream_interrupted', type: 'server_error' }]);
  expect(await result.finishReason).toBe('error');
});
