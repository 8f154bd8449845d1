import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CHUNKED, CLOSE, JSON_TYPE } from './support/header-lines.js';
import { headerOf } from './support/raw-response.js';
import { RawStage } from './support/raw-stage.js';
import { eventually } from './support/router.js';
import { chunk, head, type RequestScript, response } from './support/raw-upstream.js';

let stage: RawStage;

beforeEach(async () => {
  stage = await RawStage.set();
});

afterEach(async () => stage.clear());

type Row = [what: string, script: RequestScript];

const LENGTH_5 = 'Content-Length: 5';

function writes(bytes: string | Buffer): RequestScript {
  return async (connection) => void (await connection.write(bytes));
}

function writesThenCloses(bytes: string): RequestScript {
  return async (connection) => {
    await connection.write(bytes);
    connection.fin();
  };
}

function writesThenResets(bytes: string): RequestScript {
  return async (connection) => {
    await connection.write(bytes);
    connection.reset();
  };
}

/** The answer when the only candidate fails in this way. */
async function answerAfter(script: RequestScript): Promise<unknown> {
  stage.upstream.answer('first', script);
  const answer = await stage.ask({ model: 'first' });
  return { status: answer.status, body: JSON.parse(answer.body.toString()), tried: stage.upstream.models };
}

/** The answer of the router itself. */
function errorOf(code: string): unknown {
  const error = { message: expect.any(String), type: 'server_error', param: null, code };
  return { status: 502, body: { error }, tried: ['first'] };
}

/** What follows when the first of two candidates fails in this way. */
async function failoverAfter(script: RequestScript): Promise<unknown> {
  stage.upstream.answer('first', script);
  const answer = await stage.ask({ model: 'first,second', stream: true });
  await eventually(() => stage.router.requestLogs.length > 0);
  const [{ failovers, attempts } = {}] = stage.router.requestLogs;
  const { status, body } = answer;
  const selected = headerOf(answer, 'x-chutes-autopilot-selected');
  return { status, selected, body: JSON.parse(body.toString()), failovers, attempts };
}

/** The answer of the second candidate, after the first one failed for this reason. */
function secondAfter(reason: string): unknown {
  const body = { object: 'chat.completion', model: 'second' };
  return { status: 200, selected: 'second', body, failovers: [reason], attempts: 2 };
}

describe('a connection that ends before the headers', () => {
  const rows: Row[] = [
    ['a reset', (connection) => connection.reset()],
    ['a close', (connection) => connection.fin()],
    ['a close inside the status line', writesThenCloses('HTTP/1.1 20')],
    ['a close inside the headers', writesThenCloses(`HTTP/1.1 200 OK\r\n${CLOSE}\r\n`)],
    ['a close behind interim responses', writesThenCloses(head('103 Early Hints').repeat(3))],
    ['a reset behind interim responses', writesThenResets(head('103 Early Hints').repeat(3))],
  ];

  test.each(rows)('ERR-7: %s is an upstream_reset', async (_, script) => {
    expect(await answerAfter(script)).toEqual(errorOf('upstream_reset'));
  });

  test.each(rows)('ATT-8: after %s the next candidate answers', async (_, script) => {
    expect(await failoverAfter(script)).toEqual(secondAfter('upstream_reset'));
  });
});

describe('a response that is not valid', () => {
  const rows: Row[] = [
    ['no HTTP', writes('SSH-2.0-OpenSSH\r\n\r\n')],
    ['status 099', writes(head('099 Odd', LENGTH_5))],
    ['status 600', writes(response('600 Odd', [], 'hello'))],
    ['status 999', writes(response('999 Odd', [], 'hello'))],
    ['status 1000', writes(head('1000 Odd', LENGTH_5))],
    ['status 20', writes(head('20 Odd', LENGTH_5))],
    ['an unasked 100', writes(head('100 Continue'))],
    ['an unasked 100 before a good answer', writes(head('100 Continue') + response('200 OK', [], 'hello'))],
    ['an unasked 100 behind hints', writes(head('103 Early Hints') + head('100 Continue'))],
    ['an unasked 101', writes(head('101 Switching Protocols', 'Connection: upgrade', 'Upgrade: x'))],
    ['headers of 20 KB', writes(response('200 OK', [`X-Long: ${'x'.repeat(20_000)}`], 'hello'))],
    ['a length and chunks at once', writes(head('200 OK', LENGTH_5, CHUNKED) + chunk('hello') + chunk(''))],
    ['two lengths', writes(`${head('200 OK', LENGTH_5, 'Content-Length: 6')}hello!`)],
    [
      'a transfer coding that nobody asked for',
      writes(head('200 OK', 'Transfer-Encoding: gzip, chunked') + chunk('x')),
    ],
    ['a control character in a header', writes(response('200 OK', ['X-Odd: a\x01b'], 'hello'))],
    ['a bad first chunk', writes(`${head('200 OK', CHUNKED)}zz\r\nhello\r\n`)],
  ];

  test.each(rows)('ERR-8, ATT-44: %s is an upstream_invalid_response', async (_, script) => {
    expect(await answerAfter(script)).toEqual(errorOf('upstream_invalid_response'));
  });

  test.each(rows)('ATT-9: after %s the next candidate answers', async (_, script) => {
    expect(await failoverAfter(script)).toEqual(secondAfter('upstream_invalid_response'));
  });

  test.each(['102 Processing', '103 Early Hints', '110 Odd', '199 Odd'])(
    'ATT-44: a %s before a good answer is none',
    async (interim) => {
      const answer = writes(head(interim).repeat(2) + response('200 OK', [], '{}').toString());
      expect(await answerAfter(answer)).toEqual({ status: 200, body: {}, tried: ['first'] });
    },
  );
});

describe('a 2xx that ends before its first byte', () => {
  const rows: Row[] = [
    ['a length of 0', writes(response('200 OK', [JSON_TYPE], ''))],
    ['no chunk', writes(head('200 OK', CHUNKED) + chunk(''))],
    ['a close for a body', writesThenCloses(head('200 OK'))],
    ['a 204', writes(head('204 No Content'))],
  ];

  test.each(rows)('ERR-9: %s is an upstream_empty_body', async (_, script) => {
    expect(await answerAfter(script)).toEqual(errorOf('upstream_empty_body'));
  });

  test.each(rows)('ATT-11: after %s the next candidate answers', async (_, script) => {
    expect(await failoverAfter(script)).toEqual(secondAfter('upstream_empty_body'));
  });
});

describe('a 2xx that breaks before its first byte', () => {
  const rows: Row[] = [
    ['a close short of the length', writesThenCloses(head('200 OK', LENGTH_5))],
    ['an announced close short of the length', writesThenCloses(head('200 OK', LENGTH_5, CLOSE))],
    ['a reset short of the length', writesThenResets(head('200 OK', LENGTH_5))],
    ['a close before the first chunk', writesThenCloses(head('200 OK', CHUNKED))],
    ['an announced close before the first chunk', writesThenCloses(head('200 OK', CHUNKED, CLOSE))],
    ['a reset before the first chunk', writesThenResets(head('200 OK', CHUNKED, CLOSE))],
    ['a reset where a close would have been the end', writesThenResets(head('200 OK'))],
  ];

  test.each(rows)('ERR-10: %s is an upstream_first_body_byte_error', async (_, script) => {
    expect(await answerAfter(script)).toEqual(errorOf('upstream_first_body_byte_error'));
  });

  test.each(rows)('ATT-11: after %s the next candidate answers', async (_, script) => {
    expect(await failoverAfter(script)).toEqual(secondAfter('upstream_first_body_byte_error'));
  });
});
