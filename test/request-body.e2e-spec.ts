import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { complete, errorOf } from './support/ask.js';
import { chutesWith } from './support/chutes-with.js';
import { RawClient } from './support/raw-client.js';
import { headerOf, type RawResponse } from './support/raw-response.js';
import { answerTo, chunksOf, postHead } from './support/raw-upload.js';
import { startRouter, type TestRouter } from './support/router.js';

const ALIAS = 'chutesai/AutoPilot';
const BEST = 'a/best';
const MAX_BYTES = 1_000;

let chutes: ChutesSimulator;
let router: TestRouter;
/** Its bodies may have MAX_BYTES. */
let narrow: TestRouter;

beforeAll(async () => {
  chutes = await chutesWith([BEST, 'b/other'], { utilization: [BEST] });
  router = await startRouter(chutes);
  narrow = await startRouter(chutes, { MAX_REQUEST_BYTES: String(MAX_BYTES) });
});

afterAll(async () => {
  await narrow.close();
  await router.close();
  await chutes.close();
});

describe('headers about the body', () => {
  test.each([
    undefined,
    'application/json; charset=utf-16',
    'text/plain;charset=UTF-8',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'not a type at all',
  ])('REQ-1: the body is read as JSON though its type is %s', async (type) => {
    const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
    expect((await complete(router, { model: BEST }, { headers })).status).toBe(200);
    const request = await chutes.nextRequest();
    expect([request.model, request.headers['content-type']]).toEqual([BEST, type]);
  });

  test.each(['gzip', 'br', 'deflate', 'x-unknown', 'identity, gzip', 'identity;q=1', '*'])(
    'REQ-2, REQ-14: a body in the encoding %s is refused',
    async (encoding) => {
      const before = chutes.count();
      const answer = await complete(router, { model: BEST }, { headers: { 'content-encoding': encoding } });
      expect(answer.status).toBe(415);
      expect(errorOf(answer)).toMatchObject({ type: 'invalid_request_error', code: 'unsupported_encoding' });
      expect(await countAfterAnother()).toBe(before + 1);
    },
  );

  test.each(['identity', 'IDENTITY', ''])('REQ-2: the encoding %j is none', async (encoding) => {
    const answer = await complete(router, { model: BEST }, { headers: { 'content-encoding': encoding } });
    expect(answer.status).toBe(200);
    await chutes.nextRequest();
  });
});

describe('size', () => {
  test('REQ-3: a body of just the size allowed is accepted', async () => {
    expect((await complete(narrow, bodyOf(MAX_BYTES))).status).toBe(200);
    expect((await chutes.nextRequest()).body.length).toBe(MAX_BYTES);
  });

  test.each([MAX_BYTES + 1, 2 ** 40])(
    'REQ-3, REQ-14: %d bytes are refused by their Content-Length, before one of them is sent',
    async (length) => {
      const before = chutes.count();
      const response = await answerTo(narrow, [postHead(`Content-Length: ${length}`)]);
      expectTooLarge(response);
      expect(await countAfterAnother()).toBe(before + 1);
    },
  );

  test.each([
    ['one chunk', [MAX_BYTES]],
    ['many chunks', [1, 2, 3, MAX_BYTES - 6]],
  ])('REQ-4: a chunked body of just the size allowed is accepted: %s', async (_, sizes) => {
    const body = bodyOf(MAX_BYTES);
    const response = await answerTo(narrow, [
      postHead('Transfer-Encoding: chunked'),
      ...chunksOf(body, sizes),
      '0\r\n\r\n',
    ]);
    expect(response.status).toBe(200);
    expect((await chutes.nextRequest()).body).toEqual(body);
  });

  test.each([
    ['one chunk', [MAX_BYTES + 1]],
    ['many chunks', [500, 500, 1]],
  ])('REQ-4, REQ-14: a chunked body is refused with the first byte too many: %s', async (_, sizes) => {
    const before = chutes.count();
    // The end of the body is not sent.
    const response = await answerTo(narrow, [
      postHead('Transfer-Encoding: chunked'),
      ...chunksOf(bodyOf(MAX_BYTES + 1), sizes),
    ]);
    expectTooLarge(response);
    expect(await countAfterAnother()).toBe(before + 1);
  });

  test('REQ-3: by default it is 32 MiB', async () => {
    const limit = 33_554_432;
    const client = await RawClient.open(
      router.port,
      postHead(`Content-Length: ${limit}\r\nExpect: 100-continue`),
    );
    await client.receives('\r\n\r\n');
    expect(client.received.toString()).toMatch(/^HTTP\/1\.1 100 /);
    client.close();
    expectTooLarge(await answerTo(router, [postHead(`Content-Length: ${limit + 1}`)]), limit);
  });
});

describe('refusals', () => {
  test.each([
    ['nothing', '', 'invalid_json', null],
    ['half of it', `{"model":"${ALIAS}"`, 'invalid_json', null],
    ['more behind it', `{"model":"${ALIAS}"} {}`, 'invalid_json', null],
    ['a byte order mark', `\ufeff{"model":"${ALIAS}"}`, 'invalid_json', null],
    ['Latin-1', Buffer.from(`{"model":"${ALIAS}","a":"é"}`, 'latin1'), 'invalid_json', null],
    [
      '1001 levels',
      `{"model":"${ALIAS}","a":${'['.repeat(1_000)}${']'.repeat(1_000)}}`,
      'invalid_json',
      null,
    ],
    ['an array', `[{"model":"${ALIAS}"}]`, 'invalid_body', null],
    ['a string', '"model"', 'invalid_body', null],
    ['no model', '{"Model":"a/best"}', 'missing_model', 'model'],
    ['an empty model', '{"model":""}', 'missing_model', 'model'],
    ['a list as model', '{"model":["a/best"]}', 'missing_model', 'model'],
    ['two models', String.raw`{"model":"a/best","\u006dodel":"a/best"}`, 'duplicate_model', 'model'],
  ])('REQ-14: %s is refused and causes no call', async (_, body, code, param) => {
    const before = chutes.count();
    const answer = await complete(router, body);
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ type: 'invalid_request_error', code, param });
    expect(await countAfterAnother()).toBe(before + 1);
  });
});

/** How many requests the upstream has got, when a further one has come back from there. */
async function countAfterAnother(): Promise<number> {
  expect((await complete(router, { model: BEST })).status).toBe(200);
  await chutes.nextRequest();
  return chutes.count();
}

/** A good body of exactly so many bytes. */
function bodyOf(bytes: number): Buffer {
  const [start, end] = [`{"model":"${BEST}","padding":"`, '"}'];
  return Buffer.from(start + 'x'.repeat(bytes - start.length - end.length) + end);
}

function expectTooLarge(response: RawResponse, maxBytes = MAX_BYTES): void {
  expect([response.status, headerOf(response, 'connection')]).toEqual([413, 'close']);
  const { error } = JSON.parse(response.body.toString()) as { error: unknown };
  expect(error).toMatchObject({ type: 'invalid_request_error', param: null, code: 'request_too_large' });
  expect(error).toHaveProperty('message', expect.stringContaining(String(maxBytes)));
}
