import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import OpenAI, { APIError } from 'openai';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { failureOf } from './support/failure-of.js';
import { CHUNKED, JSON_TYPE } from './support/header-lines.js';
import { headerOf, headersOf } from './support/raw-response.js';
import { RawStage } from './support/raw-stage.js';
import { chunk, head, response } from './support/raw-upstream.js';
import { startRouter } from './support/router.js';

const SHAPED = { ERROR_SHAPE: 'openai' };
const QUOTA = '{ "detail" : {"message":"Quota exceeded and account balance is $0.0","n":1.0e3} }\n';
const NESTED = JSON.stringify({
  detail: `Invalid request: Invalid request: ${JSON.stringify({ detail: { error: { message: 'Too long.', code: 400 } } })}`,
});

let stage: RawStage;

afterEach(async () => {
  await stage.clear();
});

/** @param bytes the whole answer of the upstream. */
async function answerTo(bytes: string | Buffer, env: Record<string, string>, model = 'first') {
  stage = await RawStage.set(env);
  stage.upstream.answer('first', async (connection) => void (await connection.write(bytes)));
  return stage.ask({ model });
}

describe('with ERROR_SHAPE=openai', () => {
  test.each(['first', 'first,second'])(
    'ERR-31, ERR-32: an error has one of OpenAI’s shape beside its detail, which stays as it was: asked for %s',
    async (model) => {
      const answer = await answerTo(response('402 Payment Required', [JSON_TYPE], QUOTA), SHAPED, model);
      const body = answer.body.toString();
      const [before, after] = [QUOTA.slice(0, QUOTA.lastIndexOf('}')), '}\n'];
      expect([body.startsWith(before), body.endsWith(after)]).toEqual([true, true]);
      expect(JSON.parse(body)).toHaveProperty('error', {
        message: 'Quota exceeded and account balance is $0.0',
        type: 'insufficient_quota',
        param: null,
        code: 'insufficient_quota',
      });
      expect([answer.status, answer.isComplete]).toEqual([402, true]);
      expect(headersOf(answer, 'content-length')).toEqual([String(answer.body.length)]);
    },
  );

  test('ERR-31: also where it came in chunks', async () => {
    const chunks = QUOTA.split('').map(chunk).join('');
    const answer = await answerTo(
      head('402 Payment Required', JSON_TYPE, CHUNKED) + chunks + chunk(''),
      SHAPED,
    );
    expect(JSON.parse(answer.body.toString())).toHaveProperty('error.code', 'insufficient_quota');
    expect(headersOf(answer, 'content-length')).toEqual([String(answer.body.length)]);
    expect(headerOf(answer, 'transfer-encoding')).toBeUndefined();
  });

  test('ERR-31: the connection serves on', async () => {
    stage = await RawStage.set(SHAPED);
    const script = response('402 Payment Required', [JSON_TYPE], QUOTA);
    stage.upstream.answer('first', async (connection) => void (await connection.write(script)));
    for (let n = 0; n < 3; n += 1) {
      const answer = await stage.ask({ model: 'first' });
      expect(answer.body.toString()).toContain('"error":');
    }
  });

  test.each<[string, string[], string | Buffer]>([
    ['of OpenAI’s shape', [JSON_TYPE], '{"error":{"message":"x"}}'],
    [
      'of HTML',
      ['Content-Type: text/html'],
      readFileSync('testdata/chutes_live/chat_unauthenticated_429_2026-02-18.html'),
    ],
    ['that is compressed', [JSON_TYPE, 'Content-Encoding: gzip'], gzipSync(QUOTA)],
    ['of more than 16 KiB', [JSON_TYPE], JSON.stringify({ detail: 'x'.repeat(16_384) })],
    ['in an event stream', ['Content-Type: text/event-stream'], QUOTA],
    ['that is no JSON', [JSON_TYPE], `${QUOTA},`],
  ])('ERR-31: an error %s is relayed as it came', async (_, headers, body) => {
    const answer = await answerTo(response('429 Too Many Requests', headers, body), SHAPED);
    expect(answer.body.equals(Buffer.from(body))).toBe(true);
  });

  test('ERR-31: what is no error is relayed as it came', async () => {
    const answer = await answerTo(response('200 OK', [JSON_TYPE], QUOTA), SHAPED);
    expect(answer.body.toString()).toBe(QUOTA);
  });

  test('ERR-31: an error that trickles is relayed as it comes, after a second', async () => {
    stage = await RawStage.set(SHAPED);
    const seen = Promise.withResolvers<void>();
    stage.upstream.answer('first', async (connection) => {
      await connection.write(head('500 Internal Server Error', JSON_TYPE, CHUNKED) + chunk('{"detail":'));
      await seen.promise;
      await connection.write(chunk('"x"}') + chunk(''));
    });
    const client = await stage.open({ model: 'first' });
    await client.receives('{"detail":');
    seen.resolve();
    expect((await client.response()).body.toString()).toBe('{"detail":"x"}');
  });

  test('ERR-31: an error that breaks off is relayed, and breaks off', async () => {
    stage = await RawStage.set(SHAPED);
    stage.upstream.answer('first', async (connection) => {
      await connection.write(
        head('500 Internal Server Error', JSON_TYPE, 'Content-Length: 99') + '{"detail":"x"}',
      );
      connection.fin();
    });
    const answer = await stage.ask({ model: 'first' });
    expect([answer.isComplete, answer.body.toString()]).toEqual([false, '{"detail":"x"}']);
  });

  test.each([
    ['402 Payment Required', QUOTA, 'Quota exceeded and account balance is $0.0'],
    ['400 Bad Request', NESTED, 'Too long.'],
  ])('ERR-32, RTE-21: the openai client shows the text of a %s', async (status, body, message) => {
    stage = await RawStage.set(SHAPED);
    const bytes = response(status, [JSON_TYPE], body);
    stage.upstream.answer('first', async (connection) => void (await connection.write(bytes)));
    const client = new OpenAI({ baseURL: `${stage.router.url}/v1`, apiKey: 'cpk_test', maxRetries: 0 });
    const messages = [{ role: 'user' as const, content: 'Hello' }];
    const error = await failureOf(client.chat.completions.create({ model: 'first', messages }), APIError);
    expect(error.message).toBe(`${status.slice(0, 3)} ${message}`);
  });
});

test.each(['first', 'first,second'])(
  'ERR-31: without it no error is touched: asked for %s',
  async (model) => {
    const answer = await answerTo(response('402 Payment Required', [JSON_TYPE], QUOTA), {}, model);
    expect(answer.body.toString()).toBe(QUOTA);
  },
);

test('ERR-31, EVD-11: evidence is relayed as it came in any case', async () => {
  stage = await RawStage.set();
  const chutes = await ChutesSimulator.start();
  const router = await startRouter(chutes, SHAPED);
  try {
    const nonce = 'ab'.repeat(32);
    const url = `${router.url}/chutes/00000000-0000-4000-8000-000000000000/evidence?nonce=${nonce}`;
    const answer = await fetch(url);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(await answer.json()).not.toHaveProperty('error');
  } finally {
    await router.close();
    await chutes.close();
  }
});
