import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { LifecycleService } from '../src/lifecycle/lifecycle.service.js';
import { chatRequest } from './support/chat-request.js';
import { metricsAfter, metricsOf } from './support/metrics.js';
import type { RawClient } from './support/raw-client.js';
import { headerOf, headersOf, type RawResponse } from './support/raw-response.js';
import { RawStage } from './support/raw-stage.js';
import { chunk, head, type RawConnection, response } from './support/raw-upstream.js';
import { type Env, eventually } from './support/router.js';

// A comment comes after a second at the earliest.
jest.setTimeout(60_000);

const COMMENT = ': waiting\n\n';
const LIST = 'first,second';
const EVENT_STREAM = 'Content-Type: text/event-stream';
const JSON_TYPE = 'Content-Type: application/json';
const CHUNKED = 'Transfer-Encoding: chunked';
const EVENT = 'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":null}]}\n\n';
const STOP = 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
const FULL = '{"detail":"Infrastructure is at maximum capacity, try again later"}';

let stage: RawStage;
/** Lets the upstream of a waiting client go on. */
let goOn: PromiseWithResolvers<void>;

afterEach(async () => {
  goOn.resolve();
  await stage.clear();
});

async function set(env: Env = {}): Promise<void> {
  goOn = Promise.withResolvers();
  stage = await RawStage.set({ SSE_KEEPALIVE_SECS: '1', ...env });
}

/** The model does this when it is told to. */
function later(model: string, script: (connection: RawConnection) => unknown): void {
  stage.upstream.answer(model, async (connection) => {
    await goOn.promise;
    await script(connection);
  });
}

/** A client that has been given a comment, and that the upstream now answers. */
async function askAndWait(model: string, path?: string): Promise<RawClient> {
  const client = await stage.open({ model, stream: true, ...(path && { path }) });
  await client.receives(COMMENT);
  goOn.resolve();
  return client;
}

/** What comes behind the comments. */
function behind({ body }: RawResponse): string {
  return body.toString().replace(/^(?:: waiting\n\n)+/, '');
}

function errorIn(answer: RawResponse): Readonly<Record<string, unknown>> {
  const [, json = ''] = /^data: (\{.*\})\n\n$/.exec(behind(answer)) ?? [];
  const { error, ...others } = JSON.parse(json) as { error: Record<string, unknown> };
  expect(others).toEqual({});
  return error;
}

async function line(): Promise<Readonly<Record<string, unknown>>> {
  await eventually(() => stage.router.requestLogs.length > 0);
  return stage.router.requestLogs.at(-1) ?? {};
}

const good = response('200 OK', [EVENT_STREAM, 'X-Chutes-InvocationID: 7'], EVENT + STOP);

describe('a stream that waits', () => {
  test('ATT-72, ATT-77: gets a stream of comments, and then the answer in it', async () => {
    await set({ CORS_ALLOWED_ORIGINS: '*' });
    later('first', async (connection) => connection.write(good));
    const request = {
      model: LIST,
      stream: true,
      headers: ['X-Request-Id: own', 'Origin: https://a.example'],
    };
    const client = await stage.open(request);
    await eventually(() => client.received.toString().split(COMMENT).length > 2);
    goOn.resolve();
    const answer = await client.response();
    expect([answer.status, answer.isComplete, behind(answer)]).toEqual([200, true, EVENT + STOP]);
    expect(headersOf(answer, 'content-type')).toEqual(['text/event-stream']);
    expect(headerOf(answer, 'x-request-id')).toBe('own');
    expect(headerOf(answer, 'access-control-allow-origin')).toBe('*');
    for (const name of ['x-chutes-autopilot-selected', 'x-chutes-invocationid', 'content-length']) {
      expect(headerOf(answer, name)).toBeUndefined();
    }
    const { status, ending, model, ttfb_ms: ttfbMs, bytes_out: bytesOut } = await line();
    expect({ status, ending, model, bytesOut }).toEqual({
      status: 200,
      ending: 'complete',
      model: 'first',
      bytesOut: answer.body.length,
    });
    expect(ttfbMs).toBeGreaterThan(1_900);
  });

  test('ATT-72: is tried elsewhere as before', async () => {
    await set();
    later('first', (connection) => connection.reset());
    stage.upstream.answer('second', async (connection) => void (await connection.write(good)));
    const answer = await (await askAndWait(LIST)).response();
    expect([behind(answer), stage.upstream.models]).toEqual([EVENT + STOP, ['first', 'second']]);
    expect((await line())['failovers']).toEqual(['upstream_reset']);
  });

  test('ATT-72: by an error at the beginning of its stream, too', async () => {
    await set();
    later('first', async (connection) =>
      connection.write(response('200 OK', [EVENT_STREAM], 'data: {"error":{"code":500}}\n\n')),
    );
    stage.upstream.answer('second', async (connection) => void (await connection.write(good)));
    expect(behind(await (await askAndWait(LIST)).response())).toBe(EVENT + STOP);
  });

  test('ATT-73: ends as broken where its answer breaks', async () => {
    await set();
    later('first', async (connection) => {
      await connection.write(head('200 OK', EVENT_STREAM, CHUNKED) + chunk(EVENT));
      connection.fin();
    });
    const answer = await (await askAndWait('first')).response();
    expect(answer.isComplete).toBe(false);
    expect(behind(answer)).toMatch(
      /^data: \{"choices".*\n\ndata: \{"error":.*upstream_stream_interrupted.*\n\n$/,
    );
    expect((await line())['ending']).toBe('interrupted');
  });

  test('ATT-73: ends as unfinished where its answer ends in the middle', async () => {
    await set();
    later('first', async (connection) => connection.write(response('200 OK', [EVENT_STREAM], EVENT)));
    const answer = await (await askAndWait('first')).response();
    expect([answer.isComplete, behind(answer).includes('upstream_stream_interrupted')]).toEqual([true, true]);
  });

  test('ATT-72: reaches HTTP/1.0 clients', async () => {
    await set();
    later('first', async (connection) => connection.write(good));
    const client = await stage.open({ model: 'first', stream: true, httpVersion: '1.0' });
    await client.receives(COMMENT);
    goOn.resolve();
    const answer = await client.response();
    expect([behind(answer), await client.ended]).toEqual([EVENT + STOP, 'fin']);
    expect(headerOf(answer, 'transfer-encoding')).toBeUndefined();
  });

  test('ATT-72: on /v1/completions, too', async () => {
    await set();
    later('first', async (connection) => connection.write(good));
    expect(behind(await (await askAndWait('first', '/v1/completions')).response())).toBe(EVENT + STOP);
  });

  test('ATT-72: not where nothing is streamed, and not where the answer comes sooner', async () => {
    await set();
    const ANSWER = '{"choices":[]}';
    stage.upstream.answer('first', async (connection) => {
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await connection.write(response('200 OK', [JSON_TYPE], ANSWER));
    });
    stage.upstream.answer('second', async (connection) => void (await connection.write(good)));
    const [whole, soon] = await Promise.all([
      stage.ask({ model: 'first' }),
      stage.ask({ model: LIST.replace('first,', ''), stream: true }),
    ]);
    expect([whole.body.toString(), soon.body.toString()]).toEqual([ANSWER, EVENT + STOP]);
    expect(headerOf(soon, 'x-chutes-invocationid')).toBe('7');
  });
});

describe('an answer that is none of its streams', () => {
  test('ATT-74, ATT-77: an error of the upstream’s comes as an event', async () => {
    await set();
    later('first', async (connection) =>
      connection.write(response('429 Too Many Requests', [JSON_TYPE], FULL)),
    );
    const answer = await (await askAndWait(LIST)).response();
    expect([answer.status, answer.isComplete]).toEqual([200, true]);
    expect(errorIn(answer)).toEqual({
      ...(JSON.parse(FULL) as object),
      message: 'Infrastructure is at maximum capacity, try again later',
      type: 'rate_limit_error',
      param: null,
      code: 'model_at_capacity',
    });
    expect(await line()).toMatchObject({ status: 200, ending: 'interrupted', model: 'first' });
    const metrics = await metricsAfter(stage.router, 1);
    expect(metrics.value('selection_total', { model: 'first', status: 429 })).toBe(1);
    expect(metrics.value('requests_total', { status: 200 })).toBe(1);
  });

  test.each<[string, string, string[], string | Buffer, object]>([
    [
      'HTML',
      '429 Too Many Requests',
      ['Content-Type: text/html'],
      '<html>nginx</html>',
      { message: '<html>nginx</html>' },
    ],
    [
      'an error of OpenAI’s shape',
      '400 Bad Request',
      [JSON_TYPE],
      '{"error":{"message":"No","code":"x","n":1}}',
      { message: 'No', code: 'x', n: 1 },
    ],
    ['nothing', '500 Internal Server Error', [], '', { message: 'The upstream answered with 500.' }],
    [
      'gzip',
      '500 Internal Server Error',
      [JSON_TYPE, 'Content-Encoding: gzip'],
      gzipSync(FULL),
      { message: 'The upstream answered with 500.' },
    ],
    [
      'a redirect',
      '302 Found',
      ['Location: /x'],
      '',
      { message: 'The upstream answered with 302, but with no stream.' },
    ],
    [
      'an answer in one piece',
      '200 OK',
      [JSON_TYPE],
      '{"choices":[]}',
      { choices: [], type: 'server_error' },
    ],
    [
      'a compressed stream',
      '200 OK',
      [EVENT_STREAM, 'Content-Encoding: gzip'],
      gzipSync(EVENT),
      { message: 'The upstream answered with 200, but with no stream.' },
    ],
  ])('ATT-74: %s is an error event', async (_, status, headers, body, expected) => {
    await set();
    later('first', async (connection) => connection.write(response(status, headers, body)));
    const answer = await (await askAndWait('first')).response();
    expect([answer.status, answer.isComplete]).toEqual([200, true]);
    expect(errorIn(answer)).toMatchObject(expected);
  });

  test('CDN-5, ATT-74: an answer in one piece is no verdict on its model, and the end of its probe', async () => {
    await set({ COOLDOWN_FAILURES: '1', COOLDOWN_MS: '1000', COOLDOWN_MAX_MS: '1000' });
    stage.upstream.answer(
      'first',
      async (connection) => void (await connection.write(response('503 Busy', [], ''))),
    );
    stage.upstream.answer('second', async (connection) => void (await connection.write(good)));
    await stage.ask({ model: LIST, stream: true });
    const cooling = async () => (await metricsOf(stage.router)).value('cooling_models');
    await eventually(async () => (await cooling()) === 0);
    later('first', async (connection) => connection.write(response('200 OK', [JSON_TYPE], '{"choices":[]}')));
    expect(errorIn(await (await askAndWait(LIST)).response())).toMatchObject({ choices: [] });
    await stage.ask({ model: LIST, stream: true });
    expect(stage.upstream.models).toEqual(['first', 'second', 'first', 'first']);
    expect((await metricsOf(stage.router)).by('outcome', 'probes_total')).toEqual({ ok: 1 });
  });

  test('ATT-74: 64 KiB of it are read', async () => {
    await set();
    later('first', async (connection) => {
      await connection.write(head('500 Internal Server Error', CHUNKED));
      await connection.writeForEver(chunk('x'.repeat(10_000)));
    });
    const error = errorIn(await (await askAndWait('first')).response());
    expect(error['message']).toBe('x'.repeat(65_536));
  });

  test('ATT-74: one that never ends is told within about two seconds', async () => {
    await set();
    later('first', async (connection) =>
      connection.write(head('500 Internal Server Error', JSON_TYPE, CHUNKED) + chunk('{"detail":"I wa')),
    );
    expect(errorIn(await (await askAndWait('first')).response())['message']).toBe('{"detail":"I wa');
  });

  test.each([
    ['/v1/chat/completions', /^data: \{"error":\{[^\n]*"code":"upstream_reset"\}\}\n\n$/],
    ['/v1/completions', /^data: \{"error":\{[^\n]*"code":"upstream_reset"\}\}\n\n$/],
  ])('ATT-75: an error of the router’s own on %s is one, too', async (path, expected) => {
    await set();
    later('*', (connection) => connection.reset());
    const answer = await (await askAndWait(LIST, path)).response();
    expect([answer.status, answer.isComplete]).toEqual([200, true]);
    expect(behind(answer)).toMatch(expected);
    expect(await line()).toMatchObject({
      status: 200,
      ending: 'interrupted',
      failovers: ['upstream_reset', 'upstream_reset'],
    });
  });

  test('ATT-75: so is the end of the router', async () => {
    await set({ SHUTDOWN_GRACE_MS: '1' });
    later('first', () => {});
    const client = await stage.open({ model: 'first', stream: true });
    await client.receives(COMMENT);
    const stopping = stage.router.app.get(LifecycleService).stop();
    const answer = await client.response();
    expect([answer.isComplete, errorIn(answer)['code']]).toEqual([true, 'shutting_down']);
    await stopping;
  });
});

describe('whoever waits', () => {
  test('ATT-76: can leave, and its upstream request ends', async () => {
    await set();
    const gone = Promise.withResolvers<void>();
    stage.upstream.answer('first', async (connection) => {
      await connection.closed;
      gone.resolve();
    });
    const client = await stage.open({ model: LIST, stream: true });
    await client.receives(COMMENT);
    client.close();
    await gone.promise;
    expect(await line()).toMatchObject({ status: 200, ending: 'client_gone', model: null, failovers: [] });
    expect((await metricsAfter(stage.router, 1)).value('client_aborts_total', { phase: 'waiting' })).toBe(1);
  });

  test('ATT-76: behind another request on its connection is told nothing before its turn', async () => {
    await set();
    later('first', async (connection) => connection.write(response('200 OK', [JSON_TYPE], '{"choices":[]}')));
    stage.upstream.answer('second', async (connection) => {
      await goOn.promise;
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await connection.write(good);
    });
    const client = await stage.send(
      chatRequest({ model: 'first' }) + chatRequest({ model: 'second', stream: true }),
    );
    await stage.upstream.request(2);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(client.bytesReceived).toBe(0);
    goOn.resolve();
    expect((await client.response()).body.toString()).toBe('{"choices":[]}');
    const answer = await client.response();
    expect([answer.body.toString().startsWith(COMMENT), behind(answer)]).toEqual([true, EVENT + STOP]);
  });

  test('ATT-76: has its connection for the next request', async () => {
    await set();
    later('first', (connection) => connection.reset());
    const client = await askAndWait('first');
    await client.response();
    await client.send(chatRequest({ model: 'second' }));
    expect((await client.response()).status).toBe(200);
  });
});
