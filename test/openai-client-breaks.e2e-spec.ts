import { isNativeError } from 'node:util/types';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import OpenAI, { APIError, InternalServerError } from 'openai';
import { CHUNKED, EVENT_STREAM, JSON_TYPE } from './support/header-lines.js';
import { RawStage } from './support/raw-stage.js';
import { chunk, head, type RawConnection, response } from './support/raw-upstream.js';
import type { Env } from './support/router.js';

const MESSAGES = [{ role: 'user' as const, content: 'Hello' }];
const ANSWER = JSON.stringify({
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Good morning' }, finish_reason: 'stop' }],
});
const HALF = ANSWER.slice(0, 60);

const delta = (content: string) => `data: {"choices":[{"index":0,"delta":{"content":"${content}"}}]}\n\n`;
const begun = head('200 OK', EVENT_STREAM, CHUNKED) + chunk(delta('Good'));

const silence = () => {};

let stage: RawStage;
let client: OpenAI;

beforeEach(async () => set());

async function set(env: Env = {}): Promise<void> {
  stage = await RawStage.set(env);
  client = new OpenAI({ baseURL: `${stage.router.url}/v1`, apiKey: 'cpk_test', logLevel: 'off' });
}

/** Only what falls silent meets a short timer; on a busy machine the others might, too. */
async function setFor(breaks: unknown): Promise<void> {
  if (breaks !== silence) return;
  await stage.clear();
  await set({ UPSTREAM_IDLE_TIMEOUT_MS: '200' });
}

afterEach(async () => {
  await stage.clear();
});

function answers(script: (connection: RawConnection) => unknown): void {
  stage.upstream.answer('first', async (connection) => void (await script(connection)));
}

/** What the client has read of a stream, and what it threw. */
async function readStream(received: () => void): Promise<{ text: string; thrown: unknown }> {
  let text = '';
  try {
    const stream = await client.chat.completions.create({ model: 'first', messages: MESSAGES, stream: true });
    for await (const part of stream) {
      text += part.choices[0]?.delta.content ?? '';
      received();
    }
  } catch (error) {
    return { text, thrown: error };
  }
  return { text, thrown: undefined };
}

describe('a stream raises an error', () => {
  test.each<[string, string, (connection: RawConnection) => unknown, string]>([
    ['ATT-35', 'closes', (connection) => connection.fin(), 'upstream_stream_interrupted'],
    ['ATT-35', 'resets', (connection) => connection.reset(), 'upstream_stream_interrupted'],
    [
      'ATT-35',
      'sends a bad chunk',
      async (connection) => connection.write('zz\r\n'),
      'upstream_stream_interrupted',
    ],
    ['ATT-36', 'falls silent', silence, 'upstream_idle_timeout'],
    [
      'ATT-38',
      "ends with Chutes' unframed error",
      async (connection) => connection.write(chunk('{"error":"Unhandled exception"}') + chunk('')),
      'upstream_stream_interrupted',
    ],
  ])('%s: whose upstream %s after an event', async (_clause, _, breaks, code) => {
    await setFor(breaks);
    const received = Promise.withResolvers<void>();
    answers(async (connection) => {
      await connection.write(begun);
      await received.promise;
      await breaks(connection);
    });
    const { text, thrown } = await readStream(received.resolve);
    expect(text).toBe('Good');
    expect(thrown).toBeInstanceOf(APIError);
    expect(thrown).toMatchObject({ code, type: 'server_error' });
  });

  test.each<[string, string, (connection: RawConnection) => unknown]>([
    ['closes', 'data: {"choices":[{"ind', (connection) => connection.fin()],
    ['resets', 'data: {"choices":[{"ind', (connection) => connection.reset()],
    ['falls silent', 'data: {"choices":[{"ind', silence],
    ['closes behind a whole line', `${delta(' mor').trimEnd()}\n`, (connection) => connection.fin()],
  ])('ATT-34, ATT-35: whose upstream %s after half an event', async (_, half, breaks) => {
    await setFor(breaks);
    const received = Promise.withResolvers<void>();
    answers(async (connection) => {
      await connection.write(begun + chunk(half));
      await received.promise;
      await breaks(connection);
    });
    const { text, thrown } = await readStream(received.resolve);
    expect('Good mor').toContain(text);
    expect(isNativeError(thrown)).toBe(true);
  });

  test('ATT-41: which is compressed and cut', async () => {
    const zipped = gzipSync(delta('Good') + delta(' morning')).subarray(0, -10);
    answers(async (connection) => {
      await connection.write(head('200 OK', EVENT_STREAM, 'Content-Encoding: gzip', CHUNKED));
      await connection.write(Buffer.concat([Buffer.from(`${zipped.length.toString(16)}\r\n`), zipped]));
      connection.fin();
    });
    const { thrown } = await readStream(() => {});
    expect(isNativeError(thrown)).toBe(true);
  });
});

test('ATT-42: a stream without [DONE] ends as it ends without the router', async () => {
  answers(async (connection) => connection.write(begun + chunk(delta(' morning')) + chunk('')));
  expect(await readStream(() => {})).toEqual({ text: 'Good morning', thrown: undefined });
});

describe('an answer in one piece', () => {
  test('ATT-26: arrives', async () => {
    answers(async (connection) => connection.write(response('200 OK', [JSON_TYPE], ANSWER)));
    const { choices } = await client.chat.completions.create({ model: 'first', messages: MESSAGES });
    expect(choices[0]?.message.content).toBe('Good morning');
  });

  test.each<[string, string, (connection: RawConnection) => unknown]>([
    [
      'closes short of the length',
      head('200 OK', JSON_TYPE, `Content-Length: ${ANSWER.length}`) + HALF,
      (c) => c.fin(),
    ],
    [
      'resets short of the length',
      head('200 OK', JSON_TYPE, `Content-Length: ${ANSWER.length}`) + HALF,
      (c) => c.reset(),
    ],
    ['closes without the final chunk', head('200 OK', JSON_TYPE, CHUNKED) + chunk(HALF), (c) => c.fin()],
    ['resets without the final chunk', head('200 OK', JSON_TYPE, CHUNKED) + chunk(HALF), (c) => c.reset()],
    [
      'closes behind the whole answer, but without the final chunk',
      head('200 OK', JSON_TYPE, CHUNKED) + chunk(ANSWER),
      (c) => c.fin(),
    ],
    ['falls silent', head('200 OK', JSON_TYPE, CHUNKED) + chunk(HALF), silence],
  ])('ATT-34: raises an error when its upstream %s', async (_, bytes, breaks) => {
    await setFor(breaks);
    answers(async (connection) => {
      await connection.write(bytes);
      await breaks(connection);
    });
    const request = client.chat.completions.create({ model: 'first', messages: MESSAGES }, { maxRetries: 0 });
    expect(await request.catch(isNativeError)).toBe(true);
  });

  test('ERR-15: that never comes is not asked for again by the client', async () => {
    await stage.clear();
    await set({ UPSTREAM_PATIENT_TIMEOUT_MS: '400' });
    answers(silence);
    const request = client.chat.completions.create({ model: 'first', messages: MESSAGES });
    await expect(request).rejects.toBeInstanceOf(InternalServerError);
    await expect(request).rejects.toMatchObject({ status: 504, code: 'upstream_header_timeout' });
    expect(stage.upstream.models).toEqual(['first']);
  });
});
