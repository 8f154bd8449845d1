import { isNativeError } from 'node:util/types';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { ChatOpenAI } from '@langchain/openai';
import { streamText } from 'ai';
import OpenAI, { APIError } from 'openai';
import type { RawResponse } from './support/raw-response.js';
import { RawStage } from './support/raw-stage.js';
import { chunk, head } from './support/raw-upstream.js';
import { eventually } from './support/router.js';
import { thrownBy } from './support/failure-of.js';

const TOKEN = choice({ index: 0, delta: { role: 'assistant', content: 'Hi' }, finish_reason: null });
const STOP = choice({ index: 0, delta: {}, finish_reason: 'stop' });
const USAGE = 'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}\n\n';
const DONE = 'data: [DONE]\n\n';
const ERROR = 'data: {"error":{"message":"It broke.","type":"server_error","code":500}}\n\n';
const LINE = '{"error":"Unhandled exception during response stream: it broke"}';
const PRETTY = '{\n  "error": {\n    "message": "It broke."\n  }\n}';

let stage: RawStage;

beforeEach(async () => {
  stage = await RawStage.set();
});

afterEach(async () => stage.clear());

function choice(fields: object): string {
  return `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', choices: [fields] })}\n\n`;
}

/** The upstream sends these chunks, and then ends well. */
function sends(chunks: readonly string[]): void {
  stage.upstream.answer('first', async (connection) => {
    await connection.write(head('200 OK', 'Content-Type: text/event-stream', 'Transfer-Encoding: chunked'));
    for (const piece of chunks) await connection.write(chunk(piece));
    await connection.write(chunk(''));
  });
}

/** What the client got, what was added to it, and what the log calls it. */
async function courseOf(
  chunks: readonly string[],
  path?: string,
): Promise<{ answer: RawResponse; added: string; ending: unknown }> {
  sends(chunks);
  const answer = await stage.ask({ model: 'first', stream: true, ...(path === undefined ? {} : { path }) });
  await eventually(() => stage.router.requestLogs.length === 1);
  const body = answer.body.toString();
  const sent = chunks.join('');
  expect(body.startsWith(sent)).toBe(true);
  return { answer, added: body.slice(sent.length), ending: stage.router.requestLogs[0]?.['ending'] };
}

const ADDED =
  /^(?:\n\n)?data: \{"error":\{"message":"[^"]+","type":"server_error","param":null,"code":"upstream_stream_interrupted"\}\}\n\n$/;

describe('a stream that ends in the middle of its answer', () => {
  test.each<[string, string[]]>([
    ['with no reason', [TOKEN, TOKEN]],
    ['with no reason, but usage', [TOKEN, TOKEN, USAGE]],
    ['after many events', [TOKEN.repeat(2_000), USAGE]],
    ['in chunks of other borders', `${TOKEN.repeat(3)}${USAGE}`.match(/[^]{1,50}/g) ?? []],
    ['within an event', [TOKEN, STOP.slice(0, 20)]],
    ['with a comment', [TOKEN, ': bye\n\n']],
  ])(
    'ATT-57: %s, gets the error event, ends as the upstream ended, and counts as broken',
    async (_, chunks) => {
      const { answer, added, ending } = await courseOf(chunks);
      expect([answer.isComplete, ending]).toEqual([true, 'interrupted']);
      expect(added).toMatch(ADDED);
    },
  );

  test('ATT-57: of text completions, too', async () => {
    const { added, ending } = await courseOf(
      ['data: {"choices":[{"text":"Hi","finish_reason":null}]}\n\n'],
      '/v1/completions',
    );
    expect([ADDED.test(added), ending]).toEqual([true, 'interrupted']);
  });

  test.each<[string, string[]]>([
    ['with a reason', [TOKEN, STOP]],
    ['with a reason, usage and [DONE]', [TOKEN, STOP, USAGE, DONE]],
    [
      'with a reason for each of several choices',
      [TOKEN, STOP, STOP.replace('"index":0', '"index":1'), USAGE],
    ],
    ['with [DONE] alone', [TOKEN, DONE]],
    ['that speaks of no reason', ['data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n']],
    ['byte by byte', (TOKEN + STOP + USAGE).split('')],
  ])('ATT-42, ATT-57: but nothing is added to one %s', async (_, chunks) => {
    const { answer, added, ending } = await courseOf(chunks);
    expect([answer.isComplete, added, ending]).toEqual([true, '', 'complete']);
  });
});

describe("an error of the upstream's own within a stream", () => {
  test.each<[string, string[]]>([
    ['as an event at the end', [TOKEN, ERROR]],
    ['as an event with [DONE] behind it', [TOKEN, ERROR, DONE]],
    ['as an event in the middle', [TOKEN, ERROR, TOKEN, STOP, DONE]],
    ['as an event with a name', [TOKEN, 'event: error\ndata: {"message":"It broke."}\n\n']],
    ['without a frame, in the middle', [TOKEN, `${LINE}\n`, STOP, DONE]],
    ['without a frame, with [DONE] behind it', [TOKEN, `${LINE}\n\n`, DONE]],
    ['over several lines, with [DONE] behind it', [TOKEN, `${PRETTY}\n\n`, DONE]],
    ['over several lines, byte by byte', [TOKEN, ...`${PRETTY}\n\n${DONE}`.split('')]],
  ])('ATT-60: %s is relayed, has nothing added, and counts as broken', async (_, chunks) => {
    const { answer, added, ending } = await courseOf(chunks);
    expect([answer.isComplete, added, ending]).toEqual([true, '', 'interrupted']);
  });

  test.each<[string, string[]]>([
    ['without a frame, with a comment behind it', [TOKEN, `${LINE}\n\n`, ': bye\n\n']],
    ['over several lines', [TOKEN, PRETTY]],
    ['over several lines, with a comment behind it', [TOKEN, STOP, `${PRETTY}\n\n: bye\n\n`]],
    ['that no blank line ends', [TOKEN, STOP, ERROR.trimEnd()]],
  ])('ATT-61: %s, where clients do not see it, gets the error event', async (_, chunks) => {
    const { answer, added, ending } = await courseOf(chunks);
    expect([answer.isComplete, ending]).toEqual([true, 'interrupted']);
    expect(added).toMatch(ADDED);
  });

  test('ATT-60: takes the pin away', async () => {
    await stage.clear();
    stage = await RawStage.set({ STICKY_TTL_SECS: '60' });
    sends([TOKEN, ERROR, DONE]);
    const ask = async () =>
      stage.ask({ model: 'second,first', stream: true, headers: ['Authorization: Bearer cpk_1'] });
    stage.upstream.answer('second', (connection) => connection.reset());
    await ask();
    await eventually(() => stage.router.requestLogs.length === 1);
    stage.upstream.answer('second', async (connection) => {
      await connection.write(head('200 OK', 'Content-Length: 2') + '{}');
    });
    await ask();
    expect(stage.upstream.models).toEqual(['second', 'first', 'second']);
  });
});

/** How it ends for the AI SDK, which throws nothing of what is told within a stream. */
async function readByAiSdk(): Promise<{ errors: readonly unknown[]; finishReason: string }> {
  const errors: unknown[] = [];
  const baseURL = `${stage.router.url}/v1`;
  const chutes = createOpenAICompatible({ name: 'chutes', baseURL, apiKey: 'cpk_test' });
  const onError = ({ error }: { error: unknown }) => void errors.push(error);
  const result = streamText({ model: chutes('first'), prompt: 'Hello', maxRetries: 0, onError });
  await Array.fromAsync(result.textStream);
  return { errors, finishReason: await result.finishReason };
}

describe('clients raise an error', () => {
  const BROKEN: [clause: string, what: string, chunks: string[]][] = [
    ['ATT-57', 'no reason', [TOKEN, USAGE]],
    ['ATT-60', 'an error event', [TOKEN, ERROR, DONE]],
    ['ATT-61', 'a bare error line', [TOKEN, LINE]],
    ['ATT-61', 'a bare error over several lines', [TOKEN, `${PRETTY}\n\n`, ': bye\n\n']],
    ['ATT-61', 'half an error event', [TOKEN, STOP, ERROR.trimEnd()]],
    ['ATT-60', 'an error in the middle', [TOKEN, ERROR, TOKEN, STOP, DONE]],
    ['ATT-60', 'nothing but an error', [ERROR, DONE]],
    ['ATT-60', 'an error with a name', [TOKEN, 'event: error\ndata: {"error":{"message":"It broke."}}\n\n']],
    ['ATT-61', 'nothing but a bare error line', [LINE]],
    ['ATT-78', 'nothing but a refusal', [ERROR.replace('500', '400'), DONE]],
  ];

  /** What each of them throws, or tells of errors. */
  const CLIENTS: Readonly<Record<string, () => Promise<unknown>>> = {
    async openai() {
      const client = new OpenAI({ baseURL: `${stage.router.url}/v1`, apiKey: 'cpk_test', logLevel: 'off' });
      const messages = [{ role: 'user' as const, content: 'Hello' }];
      const stream = await client.chat.completions.create({ model: 'first', messages, stream: true });
      return thrownBy(Array.fromAsync(stream));
    },
    async LangChain() {
      const configuration = { baseURL: `${stage.router.url}/v1`, logLevel: 'off' as const };
      const chat = new ChatOpenAI({ model: 'first', apiKey: 'cpk_test', configuration, maxRetries: 0 });
      const reading = async () => Array.fromAsync(await chat.stream('Hello'));
      return thrownBy(reading());
    },
  };

  describe.each(Object.entries(CLIENTS))('%s', (_name, read) => {
    test.each(BROKEN)('%s, RTE-21: on a stream with %s', async (_clause, _, chunks) => {
      sends(chunks);
      expect(await read()).toBeInstanceOf(APIError);
    });

    test('ATT-57, RTE-21: on a stream that ends within an event', async () => {
      sends([TOKEN, STOP.slice(0, 20)]);
      expect(isNativeError(await read())).toBe(true);
    });
  });

  describe('AI SDK', () => {
    test.each(BROKEN)('%s, RTE-21: on a stream with %s', async (_clause, _, chunks) => {
      sends(chunks);
      const { errors, finishReason } = await readByAiSdk();
      expect(errors).not.toEqual([]);
      // Where the upstream goes on behind its error, so does the reason.
      expect(finishReason).toBe(chunks.includes(STOP) && chunks.includes(DONE) ? 'stop' : 'error');
    });

    test('ATT-57, RTE-21: on a stream that ends within an event', async () => {
      sends([TOKEN, STOP.slice(0, 20)]);
      expect(await readByAiSdk()).toEqual({
        errors: [expect.anything(), expect.anything()],
        finishReason: 'error',
      });
    });
  });
});
