import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CHUNKED, EVENT_STREAM, JSON_TYPE } from './support/header-lines.js';
import { headerOf, headersOf } from './support/raw-response.js';
import { RawStage } from './support/raw-stage.js';
import { chunk, head, type RequestScript, response } from './support/raw-upstream.js';

let stage: RawStage;

beforeEach(async () => {
  stage = await RawStage.set();
});

afterEach(async () => stage.clear());

const plain = (text: string) => text;

function answersWith(type: string): RequestScript {
  return async (connection) => void (await connection.write(response('200 OK', [type], 'data: 1\n\n')));
}

describe('an answer streams', () => {
  test.each([
    ['an event stream in chunks', [EVENT_STREAM, CHUNKED], chunk],
    ['an event stream up to the close', [EVENT_STREAM, 'Connection: close'], plain],
    ['an event stream of known length', [EVENT_STREAM, 'Content-Length: 50'], plain],
    ['JSON in chunks', [JSON_TYPE, CHUNKED], chunk],
    ['JSON of known length', [JSON_TYPE, 'Content-Length: 50'], plain],
  ])('ATT-26: %s', async (_, headers, framed) => {
    const sequence: string[] = [];
    const received = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    stage.upstream.answer('first', async (connection) => {
      await connection.write(head('200 OK', ...headers));
      for (let n = 0; n < 5; n++) {
        sequence.push(`${n} written`);
        await connection.write(framed(`data: ${n}\n\n\n`));
        await received[n]?.promise;
      }
      if (framed === chunk) await connection.write(chunk(''));
      else connection.fin();
    });

    const client = await stage.open({ model: 'first', stream: true });
    for (let n = 0; n < 5; n++) {
      await client.receives(`data: ${n}\n`);
      sequence.push(`${n} received`);
      received[n]?.resolve();
    }
    const answer = await client.response();
    expect(answer.isComplete).toBe(true);
    expect(answer.body.toString()).toBe([0, 1, 2, 3, 4].map((n) => `data: ${n}\n\n\n`).join(''));
    expect(sequence).toEqual([0, 1, 2, 3, 4].flatMap((n) => [`${n} written`, `${n} received`]));
  });

  test('ATT-26: head and first event reach the client together, before the upstream goes on', async () => {
    const received = Promise.withResolvers<void>();
    stage.upstream.answer('first', async (connection) => {
      await connection.write(head('200 OK', EVENT_STREAM, CHUNKED));
      await connection.write(chunk(': ping\n\n'));
      await received.promise;
      await connection.write(chunk(''));
    });
    const client = await stage.open({ model: 'first', stream: true });
    await client.receives(': ping\n\n');
    expect(client.received.toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    received.resolve();
    expect((await client.response()).isComplete).toBe(true);
  });

  test('ATT-5, ATT-26: the head of another answer is sent on before its body', async () => {
    const received = Promise.withResolvers<void>();
    stage.upstream.answer('first', async (connection) => {
      await connection.write(head('402 Payment Required', 'Content-Length: 4'));
      await received.promise;
      await connection.write('body');
    });
    const client = await stage.open({ model: 'first' });
    await client.receives('Content-Length: 4');
    received.resolve();
    expect((await client.response()).body.toString()).toBe('body');
  });
});

describe('the bytes of an answer', () => {
  const binary = randomBytes(1_000_000);
  const events = Buffer.from(
    `: ä\r\n\r\ndata: {"a":"模型"}\n\n${'data: x\n\n'.repeat(2000)}data: [DONE]\n\n`,
  );

  test.each([
    ['of known length', binary, response('200 OK', [], binary)],
    ['up to the close', binary, Buffer.concat([Buffer.from(head('200 OK')), binary])],
    ['in one large chunk', binary, chunked(binary, [binary.length])],
    ['in small chunks', binary.subarray(0, 5_000), chunked(binary.subarray(0, 5_000), [1, 2, 3])],
    ['in uneven chunks', binary, chunked(binary, [1, 70_000, 16_384, 3])],
    ['in an event stream', events, chunked(events, [1, 2, 500], EVENT_STREAM)],
    [
      'in an event stream of known length',
      events,
      Buffer.concat([Buffer.from(head('200 OK', EVENT_STREAM, `Content-Length: ${events.length}`)), events]),
    ],
  ])('ATT-26: arrive unchanged %s', async (_, body, bytes) => {
    stage.upstream.answer('first', async (connection) => {
      await connection.write(bytes);
      connection.fin();
    });
    for (const httpVersion of ['1.1', '1.0'] as const) {
      const answer = await stage.ask({ model: 'first', httpVersion });
      expect(answer.isComplete).toBe(true);
      expect(answer.body.equals(body)).toBe(true);
    }
  });

  test('ATT-26: arrive unchanged however the network cuts them', async () => {
    const bytes = chunked(events.subarray(0, 300), [7], EVENT_STREAM);
    stage.upstream.answer('first', async (connection) => {
      for (const byte of bytes) await connection.write(Buffer.of(byte));
    });
    const answer = await stage.ask({ model: 'first', stream: true });
    expect(answer.body.equals(events.subarray(0, 300))).toBe(true);
  });

  test('ATT-26: interim responses and trailers stay behind', async () => {
    stage.upstream.answer('first', async (connection) => {
      const trailers = '0\r\nX-Trailer: 1\r\n\r\n';
      await connection.write(
        head('103 Early Hints', 'Link: <a>') +
          head('200 OK', CHUNKED, 'Trailer: X-Trailer') +
          chunk('a') +
          trailers,
      );
    });
    const client = await stage.open({ model: 'first' });
    await client.receives('\r\n0\r\n\r\n');
    expect(client.received.toString()).not.toMatch(/Early|Link|Trailer/i);
    expect((await client.response()).body.toString()).toBe('a');
  });

  test('ATT-40: an event stream is sent without Content-Length, other answers with it', async () => {
    stage.upstream.answer('first', answersWith(EVENT_STREAM));
    stage.upstream.answer('second', answersWith(JSON_TYPE));
    const [events1, json] = [await stage.ask({ model: 'first' }), await stage.ask({ model: 'second' })];
    expect([headersOf(events1, 'content-length'), events1.body.toString()]).toEqual([[], 'data: 1\n\n']);
    expect(headerOf(json, 'content-length')).toBe('9');
  });

  test('ATT-42: of a stream that ends well without [DONE] arrive as they are', async () => {
    const body = Buffer.from('data: {"choices":[]}\n\ndata: {"cho');
    stage.upstream.answer('first', async (connection) => {
      await connection.write(chunked(body, [5], EVENT_STREAM));
    });
    const answer = await stage.ask({ model: 'first', stream: true });
    expect([answer.isComplete, answer.body.toString()]).toEqual([true, body.toString()]);
  });
});

/** A chunked response. @param sizes of its chunks, over and over. */
function chunked(body: Buffer, sizes: readonly number[], ...headers: readonly string[]): Buffer {
  const pieces: Buffer[] = [Buffer.from(head('200 OK', CHUNKED, ...headers))];
  for (let at = 0, n = 0; at < body.length; n++) {
    const piece = body.subarray(at, at + (sizes[n % sizes.length] ?? 1));
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
    at += piece.length;
  }
  return Buffer.concat([...pieces, Buffer.from(chunk(''))]);
}
