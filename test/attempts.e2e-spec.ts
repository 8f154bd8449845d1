import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { headerOf, headersOf } from './support/raw-response.js';
import { RawStage } from './support/raw-stage.js';
import { chunk, head, type RequestScript, response } from './support/raw-upstream.js';
import { eventually } from './support/router.js';

const EVERY_MODEL = 'first,second,third';
const NGINX_429 = readFileSync('testdata/chutes_live/chat_unauthenticated_429_2026-02-18.html');

let stage: RawStage;

beforeEach(async () => {
  stage = await RawStage.set({ MAX_UPSTREAM_ATTEMPTS: '3' });
});

afterEach(async () => {
  await stage.clear();
});

function answers(status: string, headers: string[] = [], body: string | Buffer = status): RequestScript {
  return async (connection) => void (await connection.write(response(status, headers, body)));
}

const resets: RequestScript = (connection) => connection.reset();

describe('the order', () => {
  test('ATT-1: candidates are tried one after the other in the order of the list', async () => {
    stage.upstream.answer('third', answers('503 Busy'));
    stage.upstream.answer('first', answers('502 Broken'));
    const answer = await stage.ask({ model: 'third,first,second' });
    expect(stage.upstream.models).toEqual(['third', 'first', 'second']);
    expect(headerOf(answer, 'x-chutes-autopilot-selected')).toBe('second');
  });

  test('ATT-1: in alias mode it is the order of the ranking', async () => {
    stage.upstream.answer('*', answers('503 Busy'));
    await stage.ask({ model: 'chutesai/AutoPilot' });
    expect(stage.upstream.models).toEqual(['first', 'second', 'third']);
  });

  test('ATT-1: the next candidate is not asked before the one before has failed', async () => {
    const failed = Promise.withResolvers<void>();
    stage.upstream.answer('first', async (connection) => {
      await failed.promise;
      await connection.write(response('503 Busy', [], ''));
    });
    const client = await stage.open({ model: EVERY_MODEL });
    await stage.upstream.request(1);
    await stage.ask({ model: 'third' });
    expect(stage.upstream.models).toEqual(['first', 'third']);
    failed.resolve();
    await client.response();
    expect(stage.upstream.models).toEqual(['first', 'third', 'second']);
  });

  test('ATT-1, ATT-15: at most MAX_UPSTREAM_ATTEMPTS are tried, the last failure being the answer', async () => {
    await stage.clear();
    stage = await RawStage.set({ MAX_UPSTREAM_ATTEMPTS: '2' });
    stage.upstream.answer('first', answers('503 Busy', [], 'one'));
    stage.upstream.answer('second', answers('503 Busy', [], 'two'));
    const answer = await stage.ask({ model: EVERY_MODEL });
    expect([answer.status, answer.body.toString()]).toEqual([503, 'two']);
    expect(stage.upstream.models).toEqual(['first', 'second']);
  });
});

describe('the commit', () => {
  test('ATT-3: nothing is written to the client while attempts fail', async () => {
    const firstByte = Promise.withResolvers<void>();
    stage.upstream.answer('first', async (connection) => {
      await connection.write(head('200 OK', 'X-Failed: 1', 'Content-Length: 9'));
      connection.fin();
    });
    stage.upstream.answer('second', async (connection) => {
      await connection.write(head('503 Busy', 'Content-Length: 1000') + 'busy');
    });
    stage.upstream.answer('third', async (connection) => {
      await connection.write(head('103 Early Hints', 'Link: <a>') + head('200 OK', 'Content-Length: 4'));
      await firstByte.promise;
      await connection.write('good');
    });
    const client = await stage.open({ model: EVERY_MODEL });
    await stage.upstream.request(3);
    // Another request has gone all the way meanwhile.
    await stage.ask({ model: 'first' });
    expect(client.bytesReceived).toBe(0);
    firstByte.resolve();
    expect((await client.response()).body.toString()).toBe('good');
  });

  test('ATT-4: a 2xx is chosen by the first byte of its body', async () => {
    stage.upstream.answer('first', async (connection) => {
      await connection.write(head('200 OK', 'Transfer-Encoding: chunked') + chunk('a'));
    });
    const client = await stage.open({ model: EVERY_MODEL });
    await client.receives('HTTP/1.1 200 OK');
    await client.receives('\r\na\r\n');
    expect(stage.upstream.models).toEqual(['first']);
  });

  test('ATT-5: another status is chosen by its headers, before its body', async () => {
    stage.upstream.answer('first', async (connection) => {
      await connection.write(head('418 Teapot', 'Content-Length: 5'));
    });
    const client = await stage.open({ model: EVERY_MODEL });
    await client.receives('HTTP/1.1 418');
    await client.receives('\r\n\r\n');
    (await stage.upstream.connection(1)).fin();
    expect(await client.ended).toBe('fin');
    expect(stage.upstream.models).toEqual(['first']);
  });

  test.each([
    ['a 2xx breaks', '200 OK'],
    ['another answer breaks', '400 Bad Request'],
  ])('ATT-6: after the commit there is no other attempt though %s', async (_, status) => {
    stage.upstream.answer('first', async (connection) => {
      await connection.write(head(status, 'Content-Length: 9') + 'half');
      connection.reset();
    });
    const answer = await stage.ask({ model: EVERY_MODEL });
    expect([answer.status, answer.isComplete]).toEqual([Number(status.slice(0, 3)), false]);
    await eventually(() => stage.router.requestLogs.length === 1);
    expect(stage.upstream.models).toEqual(['first']);
    expect(stage.router.requestLogs).toMatchObject([{ attempts: 1, failovers: [] }]);
  });
});

describe('what is retried', () => {
  test.each([502, 503, 504])('ATT-10: %i moves on to the next candidate', async (status) => {
    stage.upstream.answer('first', answers(`${status} Odd`));
    const answer = await stage.ask({ model: EVERY_MODEL });
    expect(headerOf(answer, 'x-chutes-autopilot-selected')).toBe('second');
    expect(stage.upstream.models).toEqual(['first', 'second']);
  });

  test('ATT-10: the body of such an answer is not waited for, endless as it may be', async () => {
    stage.upstream.answer('first', async (connection) => {
      await connection.write(head('503 Busy', 'Transfer-Encoding: chunked'));
      await connection.writeForEver(chunk('x'.repeat(10_000)));
    });
    const answer = await stage.ask({ model: EVERY_MODEL });
    expect(headerOf(answer, 'x-chutes-autopilot-selected')).toBe('second');
    await stage.upstream.connections[0]?.closed;
  });

  test('ATT-10, ATT-14: UPSTREAM_RETRYABLE_STATUSES says which statuses these are', async () => {
    await stage.clear();
    stage = await RawStage.set({ UPSTREAM_RETRYABLE_STATUSES: '404,500' });
    stage.upstream.answer('first', answers('404 Not Found'));
    stage.upstream.answer('second', answers('500 Broken'));
    stage.upstream.answer('third', answers('503 Busy'));
    expect((await stage.ask({ model: EVERY_MODEL })).status).toBe(503);
    stage.upstream.answer('first', answers('503 Busy'));
    expect((await stage.ask({ model: EVERY_MODEL })).status).toBe(503);
    expect(stage.upstream.models).toEqual(['first', 'second', 'third', 'first']);
  });
});

describe('what is never retried', () => {
  test('ATT-13: a 429 is relayed with its body, HTML included, and its headers', async () => {
    const headers = ['Content-Type: text/html', 'Retry-After: 7', 'X-RateLimit: 0'];
    stage.upstream.answer('first', answers('429 Too Many Requests', headers, NGINX_429));
    const answer = await stage.ask({ model: EVERY_MODEL });
    expect(answer.status).toBe(429);
    expect(answer.body).toEqual(NGINX_429);
    expect(['content-type', 'retry-after', 'x-ratelimit'].map((name) => headerOf(answer, name))).toEqual([
      'text/html',
      '7',
      '0',
    ]);
    expect(stage.upstream.models).toEqual(['first']);
  });

  test.each([301, 307, 400, 401, 402, 403, 404, 408, 422, 426, 429, 451, 500, 501, 505, 599])(
    'ATT-14: %i is relayed without a retry',
    async (status) => {
      stage.upstream.answer('first', answers(`${status} Odd`, ['Content-Type: text/odd'], 'as it is'));
      const answer = await stage.ask({ model: EVERY_MODEL });
      expect([answer.status, headerOf(answer, 'content-type'), answer.body.toString()]).toEqual([
        status,
        'text/odd',
        'as it is',
      ]);
      expect(stage.upstream.models).toEqual(['first']);
    },
  );

  test.each([300, 301, 302, 303, 304, 307, 308])(
    'ATT-30: a redirect with %i is not followed',
    async (status) => {
      const location = `Location: ${stage.feeds.url}/elsewhere`;
      stage.upstream.answer('first', answers(`${status} Odd`, [location], status === 304 ? '' : 'elsewhere'));
      const answer = await stage.ask({ model: 'first' });
      expect([answer.status, headerOf(answer, 'location')]).toEqual([status, `${stage.feeds.url}/elsewhere`]);
      expect(stage.feeds.count('/elsewhere')).toBe(0);
    },
  );

  test('ATT-31: a compressed answer is relayed as it came', async () => {
    const zipped = Buffer.from('1f8b0800000000000003cb48cdc9c9070086a6103605000000', 'hex');
    stage.upstream.answer('first', answers('200 OK', ['Content-Encoding: gzip'], zipped));
    const answer = await stage.ask({ model: 'first' });
    expect(headerOf(answer, 'content-encoding')).toBe('gzip');
    expect(answer.body).toEqual(zipped);
  });
});

describe('the last failure', () => {
  test('ATT-15: which is a response is relayed unchanged', async () => {
    stage.upstream.answer('*', answers('503 Busy', ['Content-Type: text/odd', 'X-Why: busy'], 'so busy'));
    const answer = await stage.ask({ model: EVERY_MODEL });
    expect([answer.status, headerOf(answer, 'x-why'), answer.body.toString()]).toEqual([
      503,
      'busy',
      'so busy',
    ]);
    expect(stage.upstream.models).toEqual(['first', 'second', 'third']);
  });

  test('ATT-15: which is none becomes the error, whatever failed before', async () => {
    stage.upstream.answer('*', answers('503 Busy'));
    stage.upstream.answer('third', resets);
    const answer = await stage.ask({ model: EVERY_MODEL });
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { code: 'upstream_reset' } });
  });

  test('ATT-15: in direct mode the only failure is the last', async () => {
    stage.upstream.answer('first', answers('503 Busy', [], 'so busy'));
    const answer = await stage.ask({ model: 'first' });
    expect([answer.status, answer.body.toString()]).toEqual([503, 'so busy']);
    expect(stage.upstream.models).toEqual(['first']);
  });

  test.each([
    ['an answer follows', undefined, 200],
    ['the last one fails, too', answers('503 Busy', ['X-Third: 1']), 503],
    ['the router answers itself', resets, 502],
  ])('ATT-16: no header of a failed attempt reaches the client when %s', async (_, third, status) => {
    stage.upstream.answer('first', answers('503 Busy', ['X-First: 1', 'Retry-After: 60']));
    stage.upstream.answer('second', async (connection) => {
      await connection.write(head('200 OK', 'X-Second: 1', 'Content-Length: 5'));
      connection.fin();
    });
    if (third) stage.upstream.answer('third', third);
    const answer = await stage.ask({ model: EVERY_MODEL });
    expect(answer.status).toBe(status);
    expect(['x-first', 'x-second', 'retry-after'].flatMap((name) => headersOf(answer, name))).toEqual([]);
  });
});
