import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { headerOf } from './support/raw-response.js';
import { RawStage } from './support/raw-stage.js';
import { response } from './support/raw-upstream.js';

let stage: RawStage;

beforeEach(async () => {
  stage = await RawStage.set();
});

afterEach(async () => stage.clear());

/** The header lines that the upstream gets for those of a client. */
async function sentOn(...headers: readonly string[]): Promise<string[]> {
  await stage.ask({ model: 'first', headers });
  return (stage.upstream.requests[0]?.head ?? '').split('\r\n').slice(1);
}

/** The header lines of an answer, for those of the upstream. */
async function relayed(...headers: readonly string[]): Promise<string[]> {
  stage.upstream.answer(
    'first',
    async (connection) => void (await connection.write(response('200 OK', headers, 'x'))),
  );
  const { rawHeaders } = await stage.ask({ model: 'first' });
  return rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}`] : []));
}

describe('to the upstream', () => {
  test('HDR-3, HDR-8: go the client’s own, the encoding and the id, and what belongs to the connection', async () => {
    const lines = await sentOn(
      'Authorization: Bearer cpk_secret',
      'X-Custom: one',
      'x-custom: two',
      'User-Agent: me/1.0',
      'X-Empty:',
      'X-Latin: \xe4',
      'Accept-Encoding: gzip, br',
      'X-Request-Id: req-1',
    );
    expect(lines.map((line) => line.trim())).toEqual([
      `host: 127.0.0.1:${stage.upstream.port}`,
      'connection: keep-alive',
      'Content-Type: application/json',
      'Authorization: Bearer cpk_secret',
      'X-Custom: one',
      'x-custom: two',
      'User-Agent: me/1.0',
      'X-Empty:',
      'X-Latin: \xc3\xa4',
      'accept-encoding: identity',
      'x-request-id: req-1',
      expect.stringMatching(/^content-length: \d+$/),
    ]);
  });

  test.each([
    [
      'HDR-1',
      [
        'Keep-Alive: stay',
        'Proxy-Authorization: stay',
        'TE: stay',
        'Trailer: stay',
        'Upgrade: stay',
        'HTTP2-Settings: stay',
      ],
    ],
    ['HDR-2', ['Connection: keep-alive, X-Hop', 'X-Hop: stay']],
    ['HDR-4', ['Cookie: stay', 'X-Chutes-Autopilot-Selected: stay']],
    [
      'HDR-5',
      [
        'Forwarded: for=stay',
        'X-Forwarded-For: stay',
        'X-Real-IP: stay',
        'CF-Connecting-IP: stay',
        'Via: stay',
      ],
    ],
    ['HDR-6', ['X_Forwarded_For: stay']],
  ])('%s: %j stay behind', async (_clause, headers) => {
    const lines = await sentOn(...headers);
    expect(lines.filter((line) => /stay|router\.test/.test(line))).toEqual([]);
    expect(lines.filter((line) => /^connection:/i.test(line))).toEqual(['connection: keep-alive']);
  });

  test('HDR-2: what several Connection headers name stays behind', async () => {
    const lines = await sentOn(
      'Connection: x-one',
      'X-One: stay',
      'connection: X-Two',
      'X-Two: stay',
      'X-Three: go',
    );
    expect(lines.filter((line) => /^x-(?:one|two|three)/i.test(line))).toEqual(['X-Three: go']);
  });

  test('HDR-4: an Expect is answered by the router', async () => {
    const body = JSON.stringify({ model: 'first' });
    const client = await stage.send(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    await client.receives('HTTP/1.1 100 Continue');
    await client.send(body);
    expect((await client.response()).status).toBe(200);
    expect(stage.upstream.requests[0]?.head).not.toMatch(/expect/i);
  });

  test('HDR-3, HDR-7: every attempt gets the same', async () => {
    stage.upstream.answer(
      'first',
      async (connection) => void (await connection.write(response('503 Busy', [], ''))),
    );
    await stage.ask({ model: 'first,second', headers: ['X-Custom: one'] });
    const heads = stage.upstream.requests.map((request) => request.head.replace(/content-length: \d+/, ''));
    expect(heads[1]).toBe(heads[0]);
    expect(heads[0]).toContain('X-Custom: one');
  });
});

describe('to the client', () => {
  test('HDR-9: go the upstream’s, in their order and case, repeated ones repeated', async () => {
    const lines = await relayed(
      'Content-Type: text/odd',
      'X-Chutes-Quota-Used: 1',
      'Link: <a>',
      'link: <b>',
      'X-Latin: \xe4',
    );
    expect(lines.slice(0, 6)).toEqual([
      'Content-Type: text/odd',
      'X-Chutes-Quota-Used: 1',
      'Link: <a>',
      'link: <b>',
      'X-Latin: \xe4',
      'Content-Length: 1',
    ]);
  });

  test.each([
    ['HDR-1', ['Keep-Alive: timeout=stay', 'Proxy-Authenticate: stay', 'Trailer: stay', 'Upgrade: stay']],
    ['HDR-2', ['Connection: keep-alive, X-Hop', 'X-Hop: stay']],
    [
      'HDR-10',
      [
        'Set-Cookie: a=stay',
        'Set-Cookie: b=stay',
        'Alt-Svc: stay',
        'Strict-Transport-Security: stay',
        'Clear-Site-Data: stay',
        'Access-Control-Allow-Origin: stay',
        'Access-Control-Allow-Credentials: stay',
        'X-Request-Id: stay',
        'X-Chutes-Autopilot-Selected: stay',
        'X-Chutes-Autopilot-Anything: stay',
      ],
    ],
  ])('%s: %j stay behind', async (_clause, headers) => {
    const lines = await relayed(...headers, 'X-Custom: go');
    expect(lines.filter((line) => line.includes('stay'))).toEqual([]);
    expect(lines).toContain('X-Custom: go');
  });

  test('HDR-9: of an answer that is no 2xx, too', async () => {
    stage.upstream.answer('first', async (connection) => {
      await connection.write(
        response('402 Payment Required', ['X-Why: money', 'WWW-Authenticate: Bearer'], ''),
      );
    });
    const answer = await stage.ask({ model: 'first' });
    expect([headerOf(answer, 'x-why'), headerOf(answer, 'www-authenticate')]).toEqual(['money', 'Bearer']);
  });
});
