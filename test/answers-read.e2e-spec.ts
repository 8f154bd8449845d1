import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CHUNKED, EVENT_STREAM, JSON_TYPE } from './support/header-lines.js';
import { headerOf, type RawResponse } from './support/raw-response.js';
import { RawStage } from './support/raw-stage.js';
import { chunk, head, type RawConnection, response } from './support/raw-upstream.js';
import { type Env, eventually } from './support/router.js';

const EVENT = 'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n';
const ERROR = 'data: {"error":{"message":"It broke.","code":500}}\n\n';
const LINE = readFileSync('testdata/chutes_live/stream_error_line_undated.json', 'utf8').trim();
const ANSWER = '{"choices":[{"index":0,"message":{"content":"Hi"},"finish_reason":"stop"}]}';
const LIST = 'first,second';

let stage: RawStage;

beforeEach(async () => {
  stage = await RawStage.set();
});

afterEach(async () => stage.clear());

async function restart(env: Env): Promise<void> {
  await stage.clear();
  stage = await RawStage.set(env);
}

/** What the first of two models does; the second answers well. */
function first(script: (connection: RawConnection) => unknown): void {
  stage.upstream.answer('first', async (connection) => void (await script(connection)));
}

/** An engine's error as Chutes hands it on. */
function nested(message: string): string {
  const error = { message, code: 400 };
  return JSON.stringify({ detail: `Invalid request: ${JSON.stringify({ detail: { error } })}` });
}

interface Course {
  readonly answer: RawResponse;
  /** Who answered, and why the others did not. */
  readonly by: string | undefined;
  readonly failovers: unknown;
}

async function ask(stream: boolean, model = LIST): Promise<Course> {
  const answer = await stage.ask({ model, stream });
  await eventually(() => stage.router.requestLogs.length === 1);
  const by = headerOf(answer, 'x-chutes-autopilot-selected');
  return { answer, by, failovers: stage.router.requestLogs[0]?.['failovers'] };
}

describe('a stream that begins with an error', () => {
  test.each<[string, string, string[]]>([
    ['ATT-52', 'as an event', [ERROR]],
    ['ATT-52', 'as an event, in pieces', [ERROR.slice(0, 12), ERROR.slice(12)]],
    [
      'ATT-52',
      'as an event with CRLF, behind comments',
      [`: hi\r\n\r\nretry: 3\r\n${ERROR.replaceAll('\n', '\r\n')}`],
    ],
    [
      'ATT-52',
      'as an event of Anthropic’s',
      ['event: error\ndata: {"type":"error","error":{"type":"api_error"}}\n\n'],
    ],
    ['ATT-52', 'as a bare line', [`${LINE}\n`]],
    ['ATT-56', 'as a bare line without an end', [LINE]],
    ['ATT-56', 'as an event without an end', [ERROR.trimEnd()]],
    ['ATT-52', 'as an event over several lines', ['data: {"error":\ndata: {"message":"It broke."}}\n\n']],
    [
      'ATT-52',
      'as bare JSON over several lines',
      ['{\n  "error": {\n    "message": "It broke."\n  }\n}\n\n'],
    ],
    ['ATT-52', 'with a status of its own', ['data: {"error":{"message":"It broke.","status":503}}\n\n']],
    [
      'ATT-68',
      'about an ability',
      ['data: {"error":{"message":"a/b is not a multimodal model","code":400}}\n\n'],
    ],
  ])('%s: %s, makes way for the next model', async (_clause, _, chunks) => {
    first(async (connection) => {
      await connection.write(head('200 OK', EVENT_STREAM, CHUNKED));
      for (const piece of chunks) await connection.write(chunk(piece));
      await connection.write(chunk(''));
    });
    const { answer, by, failovers } = await ask(true);
    expect([answer.status, by, failovers]).toEqual([200, 'second', ['upstream_error_event']]);
    expect(answer.body.toString()).not.toContain('error');
  });

  test.each<[string, string]>([
    ['that is null', 'data: {"choices":[],"error":null}\n\n'],
    ['that is for the client', 'data: {"error":{"message":"Bad content","code":400}}\n\n'],
    [
      'of a context of which nothing is known',
      'data: {"error":{"message":"maximum context length","code":400}}\n\n',
    ],
    ['with a status that is for the client', 'data: {"error":{"message":"Slow down","status":429}}\n\n'],
    ['that is none, but text', 'data: {"text":"{\\"error\\":1}"}\n\n'],
    ['behind a good event', EVENT + ERROR],
  ])('ATT-53, ATT-54: but not with one %s', async (_, text) => {
    first(async (connection) => connection.write(response('200 OK', [EVENT_STREAM], text)));
    const { answer, by, failovers } = await ask(true);
    expect([answer.body.toString(), by, failovers]).toEqual([text, 'first', []]);
  });

  test('ATT-52: is relayed where it is the last model’s', async () => {
    first(async (connection) => connection.write(response('200 OK', [EVENT_STREAM], ERROR)));
    const { answer, failovers } = await ask(true, 'first');
    expect([answer.body.toString(), failovers]).toEqual([ERROR, []]);
  });

  test('ATT-55: and never ends its first event is relayed nonetheless, byte for byte', async () => {
    const asked = Promise.withResolvers<void>();
    first(async (connection) => {
      await connection.write(head('200 OK', EVENT_STREAM, CHUNKED) + chunk(ERROR.slice(0, 9)));
      await asked.promise;
      await connection.write(chunk(ERROR.slice(9)) + chunk(''));
    });
    const client = await stage.open({ model: LIST, stream: true });
    await client.receives(ERROR.slice(0, 9));
    asked.resolve();
    expect((await client.response()).body.toString()).toBe(ERROR);
  });

  test('ATT-55: behind more than 16 KiB is relayed', async () => {
    const text = `: ${'x'.repeat(16_384)}\n\n${ERROR}`;
    first(async (connection) => connection.write(response('200 OK', [EVENT_STREAM], text)));
    const { answer, by } = await ask(true);
    expect([answer.body.toString(), by]).toEqual([text, 'first']);
  });
});

describe('an answer that breaks before it is chosen', () => {
  test.each<[string, boolean, (connection: RawConnection) => unknown]>([
    [
      'JSON, closed',
      false,
      async (c) => (await c.write(head('200 OK', JSON_TYPE, CHUNKED) + chunk(ANSWER.slice(0, 9))), c.fin()),
    ],
    [
      'JSON, reset',
      false,
      async (c) => (await c.write(head('200 OK', JSON_TYPE, CHUNKED) + chunk(ANSWER.slice(0, 9))), c.reset()),
    ],
    [
      'JSON, short of its length',
      false,
      async (c) => (
        await c.write(head('200 OK', JSON_TYPE, `Content-Length: ${ANSWER.length}`) + ANSWER.slice(0, 9)),
        c.fin()
      ),
    ],
    [
      'JSON, without its last chunk',
      false,
      async (c) => (await c.write(head('200 OK', JSON_TYPE, CHUNKED) + chunk(ANSWER)), c.fin()),
    ],
    [
      'a stream, in its first event',
      true,
      async (c) => (await c.write(head('200 OK', EVENT_STREAM, CHUNKED) + chunk(EVENT.slice(0, 9))), c.fin()),
    ],
  ])('ATT-65: %s, makes way for the next model', async (_, stream, script) => {
    first(script);
    const { answer, by, failovers } = await ask(stream);
    expect([answer.isComplete, by, failovers]).toEqual([true, 'second', ['upstream_broken_body']]);
  });

  test('ATT-66: is relayed as it came where it is too late, and ends as it did', async () => {
    await restart({ FAILOVER_DEADLINE_MS: '300' });
    first(async (connection) => {
      await connection.write(head('200 OK', JSON_TYPE, CHUNKED) + chunk(ANSWER.slice(0, 9)));
      await new Promise((resolve) => setTimeout(resolve, 600));
      connection.fin();
    });
    const { answer, by } = await ask(false);
    expect([answer.isComplete, answer.body.toString(), by]).toEqual([false, ANSWER.slice(0, 9), 'first']);
  });
});

describe('an answer in one piece', () => {
  test('ATT-64: reaches the client when it is whole, byte for byte', async () => {
    const goOn = Promise.withResolvers<void>();
    first(async (connection) => {
      await connection.write(head('200 OK', JSON_TYPE, CHUNKED) + chunk(ANSWER.slice(0, 9)));
      await goOn.promise;
      await connection.write(chunk(ANSWER.slice(9)) + chunk(''));
    });
    const client = await stage.open({ model: LIST });
    await stage.upstream.request(1);
    goOn.resolve();
    const answer = await client.response();
    expect([answer.isComplete, answer.body.toString()]).toEqual([true, ANSWER]);
  });

  test('ATT-64: of 3 MiB is relayed before it is whole, byte for byte', async () => {
    const body = JSON.stringify({ choices: [], filler: 'x'.repeat(3 * 1024 * 1024) });
    first(async (connection) => connection.write(response('200 OK', [JSON_TYPE], body)));
    const { answer, by } = await ask(false);
    expect([answer.body.equals(Buffer.from(body)), by]).toEqual([true, 'first']);
  });

  test('ATT-64: that takes longer than 2 s is relayed as it comes', async () => {
    const seen = Promise.withResolvers<void>();
    first(async (connection) => {
      await connection.write(head('200 OK', JSON_TYPE, CHUNKED) + chunk(ANSWER.slice(0, 9)));
      await seen.promise;
      await connection.write(chunk(ANSWER.slice(9)) + chunk(''));
    });
    const client = await stage.open({ model: LIST });
    await client.receives(ANSWER.slice(0, 9));
    seen.resolve();
    expect((await client.response()).body.toString()).toBe(ANSWER);
  });

  test('ATT-63: that holds nothing makes way for the next model only where that is asked for', async () => {
    const empty = '{"choices":[{"index":0,"message":{"content":""},"finish_reason":"stop"}]}';
    const script = async (connection: RawConnection) =>
      connection.write(response('200 OK', [JSON_TYPE], empty));
    first(script);
    expect(await ask(false)).toMatchObject({ by: 'first', failovers: [] });
    await restart({ RETRY_EMPTY_ANSWERS: 'true' });
    first(script);
    expect(await ask(false)).toMatchObject({ by: 'second', failovers: ['upstream_empty_answer'] });
  });
});

describe('a refusal', () => {
  test.each<[string, string, string, string]>([
    [
      'ATT-45',
      '500 Internal Server Error',
      'upstream_500',
      '{"detail":"exhausted all available targets to no avail"}',
    ],
    [
      'ATT-45',
      '500 Internal Server Error',
      'upstream_500',
      '{"detail":"No infrastructure available to serve request"}',
    ],
    [
      'ATT-45',
      '500 Internal Server Error',
      'upstream_500',
      '{"detail":{"message":"No result returned from upstream"}}',
    ],
    [
      'ATT-45',
      '500 Internal Server Error',
      'upstream_500',
      '{"detail":"UNHANDLED EXCEPTION during chute invocation"}',
    ],
    ['ATT-45', '404 Not Found', 'upstream_404', '{"detail":"model not found: first"}'],
    ['ATT-45', '404 Not Found', 'upstream_404', '{"detail":"No matching chute found!"}'],
    [
      'ATT-45',
      '402 Payment Required',
      'upstream_402',
      '{"detail":"Chute unavailable because the creator is broke"}',
    ],
    ['ATT-45', '426 Upgrade Required', 'upstream_426', '{"detail":"This chute does not have TEE enabled."}'],
    ['ATT-48', '400 Bad Request', 'upstream_400', nested('first is not a multimodal model')],
    ['ATT-48', '400 Bad Request', 'upstream_400', nested('This model does not support image input')],
    ['ATT-48', '400 Bad Request', 'upstream_400', nested('This model does not support tools')],
    [
      'ATT-49',
      '400 Bad Request',
      'upstream_400',
      '{"object":"error","message":"tool choice requires a parser"}',
    ],
    [
      'ATT-48',
      '400 Bad Request',
      'upstream_400',
      nested('"auto" tool choice requires --tool-call-parser to be set'),
    ],
  ])(
    '%s, ATT-68: %s that means this model, makes way for the next one: %s',
    async (_clause, status, reason, body) => {
      first(async (connection) => connection.write(response(status, [JSON_TYPE], body)));
      expect(await ask(true)).toMatchObject({ by: 'second', failovers: [reason] });
    },
  );

  test.each<[string, string, string, string[], string | Buffer]>([
    [
      'ATT-50',
      'a decoy',
      '500 Internal Server Error',
      [JSON_TYPE],
      '{"detail":"Sorry: exhausted all available targets"}',
    ],
    [
      'ATT-50',
      'a prompt that is repeated',
      '400 Bad Request',
      [JSON_TYPE],
      '{"detail":[{"msg":"Bad","input":"is not a multimodal model"}]}',
    ],
    [
      'ATT-50',
      'HTML',
      '500 Internal Server Error',
      ['Content-Type: text/html'],
      '<html>{"detail":"exhausted all available targets"}</html>',
    ],
    [
      'ATT-50',
      'gzip',
      '500 Internal Server Error',
      [JSON_TYPE, 'Content-Encoding: gzip'],
      gzipSync('{"detail":"exhausted all available targets"}'),
    ],
    [
      'ATT-50',
      'broken JSON',
      '500 Internal Server Error',
      [JSON_TYPE],
      '{"detail":"exhausted all available targets",}',
    ],
    [
      'ATT-50',
      '32 KiB',
      '500 Internal Server Error',
      [JSON_TYPE],
      `{"detail":"exhausted all available targets","x":"${'x'.repeat(32_768)}"}`,
    ],
    [
      'ATT-68',
      'a full model',
      '429 Too Many Requests',
      [JSON_TYPE],
      '{"detail":"Infrastructure is at maximum capacity, try again later"}',
    ],
    ['ATT-68', 'a full model', '429 Too Many Requests', ['Content-Type: text/html'], '<html>nginx</html>'],
    [
      'ATT-68',
      'an account',
      '402 Payment Required',
      [JSON_TYPE],
      '{"detail":{"message":"Quota exceeded and account balance is $0"}}',
    ],
    [
      'ATT-47',
      'a context that no model is known to have',
      '400 Bad Request',
      [JSON_TYPE],
      nested('maximum context length of 8 tokens'),
    ],
    [
      'ATT-47',
      'a context, by its code',
      '400 Bad Request',
      [JSON_TYPE],
      '{"error":{"message":"Too much.","code":"context_length_exceeded"}}',
    ],
    ['ATT-68', 'the edge', '403 Forbidden', ['Content-Type: text/html'], '<html>Forbidden</html>'],
    ['ATT-68', 'its size', '413 Payload Too Large', [JSON_TYPE], '{"detail":"Request body is too large."}'],
    [
      'ATT-68',
      'a subscription',
      '402 Payment Required',
      [JSON_TYPE],
      '{"detail":"Subscription usage cap exceeded."}',
    ],
    [
      'ATT-50',
      'a free limit',
      '429 Too Many Requests',
      [JSON_TYPE],
      '{"detail":"Free models limit reached for today, Infrastructure is at maximum capacity"}',
    ],
    ['ATT-50', 'a token', '401 Unauthorized', [JSON_TYPE], '{"detail":"Invalid token."}'],
    ['ATT-50', 'nothing', '500 Internal Server Error', [], ''],
  ])(
    '%s, ATT-67: that is about %s is relayed whole and unchanged: %s',
    async (_clause, _, status, headers, body) => {
      first(async (connection) => connection.write(response(status, headers, body)));
      const { answer, by, failovers } = await ask(true);
      expect([answer.status, by, failovers]).toEqual([Number(status.slice(0, 3)), 'first', []]);
      expect(answer.body.equals(Buffer.from(body))).toBe(true);
      expect([answer.isComplete, headerOf(answer, 'content-length')]).toEqual([
        true,
        String(Buffer.byteLength(body)),
      ]);
    },
  );

  test('ATT-46, ATT-68: of a full model makes way where that is asked for', async () => {
    await restart({ FAILOVER_ON_CAPACITY: 'true' });
    const live = readFileSync('testdata/chutes_live/chat_capacity_429_undated.json');
    let body: string | Buffer = live;
    first(async (connection) => connection.write(response('429 Too Many Requests', [JSON_TYPE], body)));
    expect(await ask(true)).toMatchObject({ by: 'second', failovers: ['upstream_429'] });
    body = '{"detail":"no_targets"}';
    expect(headerOf(await stage.ask({ model: LIST }), 'x-chutes-autopilot-selected')).toBe('second');
  });

  test('ATT-67: that trickles is relayed within about a second, and on as it comes', async () => {
    const seen = Promise.withResolvers<void>();
    const [begin, rest] = ['{"detail":"exh', 'austed all available targets"}'];
    first(async (connection) => {
      await connection.write(head('500 Internal Server Error', JSON_TYPE, CHUNKED) + chunk(begin));
      await seen.promise;
      await connection.write(chunk(rest) + chunk(''));
    });
    const client = await stage.open({ model: LIST });
    await client.receives(begin);
    seen.resolve();
    const answer = await client.response();
    expect([answer.status, answer.body.toString()]).toEqual([500, begin + rest]);
    expect(stage.upstream.models).toEqual(['first']);
  });

  test('ATT-50, ATT-67: that breaks off is relayed, and breaks off', async () => {
    const body = '{"detail":"exhausted all available targets"}';
    first(async (connection) => {
      await connection.write(head('500 Internal Server Error', JSON_TYPE, CHUNKED) + chunk(body));
      connection.fin();
    });
    const { answer, by } = await ask(false);
    expect([answer.status, answer.isComplete, answer.body.toString(), by]).toEqual([
      500,
      false,
      body,
      'first',
    ]);
  });
});
