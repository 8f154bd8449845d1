import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { apiError, completionOf, Edge, errorIn, POST, requestOf } from './support/edge.js';
import { CHUNKED } from './support/header-lines.js';
import { metricsAfter } from './support/metrics.js';
import { eventually } from './support/router.js';

const HOST = 'Host: x';
const HUGE = 'Content-Length: 1000000000000';
/** More than the system buffers of both sides hold. */
const PIECES = 256;
const PIECE = Buffer.alloc(64 * 1024, 'x');
const LONG_PAUSE_MS = 500;
const CHUNK = Buffer.concat([Buffer.from('10000\r\n'), PIECE, Buffer.from('\r\n')]);

let edge: Edge;

beforeEach(async () => {
  // Shorter than the lingering: that timer is not to get in its way.
  edge = await Edge.start({ MAX_INFLIGHT_BODY_BYTES: '30000', REQUEST_HEADERS_TIMEOUT_MS: '2000' });
});

afterEach(async () => {
  await edge.close();
});

type Row = [status: number, code: string, head: Buffer, piece: Buffer];

const REFUSALS: Row[] = [
  [413, 'request_too_large', requestOf(POST, [HOST, HUGE]), PIECE],
  [415, 'unsupported_encoding', requestOf(POST, [HOST, CHUNKED, 'Content-Encoding: gzip']), CHUNK],
  [417, 'expectation_failed', requestOf(POST, [HOST, HUGE, 'Expect: x']), PIECE],
  [431, 'headers_too_large', Buffer.from(`${POST}\r\nX-Long: `), PIECE],
  [503, 'overloaded', requestOf(POST, [HOST, CHUNKED]), CHUNK],
  [400, 'bad_request', requestOf(POST, [HOST, HOST, HUGE]), PIECE],
  [400, 'bad_request', requestOf(POST, [HOST, HUGE, CHUNKED]), PIECE],
  [400, 'bad_request', requestOf(POST, [HOST, CHUNKED], 'zz\r\n'), PIECE],
  [400, 'bad_request', Buffer.from('Nonsense'), PIECE],
];

describe('a client that is still sending when it is refused', () => {
  test.each(REFUSALS)(
    'ERR-28, ERR-24: receives its %d %s, although it reads only when it has sent all',
    async (status, code, head, piece) => {
      const [[client, answer], arrivals] = await edge.withArrivals(async () => {
        const sender = await edge.open();
        sender.stopReading();
        await sender.send(head);
        for (let i = 0; i < PIECES; i += 1) await sender.send(piece);
        sender.readOn();
        return [sender, errorIn(await sender.response())] as const;
      });
      expect(answer).toEqual(apiError(status, code));
      client.finish();
      expect(await client.ended).toBe('fin');
      expect([client.received.toString(), arrivals]).toEqual(['', 0]);
      expect(edge.complaints).toEqual([]);
    },
  );

  test('ERR-28: is cut after 3 s, if it goes on for ever', async () => {
    const startedAtMs = performance.now();
    const delay = monitorEventLoopDelay();
    delay.enable();
    await Promise.all(
      REFUSALS.map(async ([status, , head, piece]) => {
        const client = await edge.open(head, { outlastsEnd: true });
        await client.sendForEver(piece);
        // Who pauses is cut sooner, and a process that stands still makes its clients pause.
        const hasPaused = delay.max / 1e6 > LONG_PAUSE_MS;
        expect(hasPaused || performance.now() - startedAtMs > 2_900).toBe(true);
        expect((await client.response()).status).toBe(status);
      }),
    );
    delay.disable();
    expect((await edge.answerTo(completionOf())).status).toBe(200);
    expect(edge.chutes.count()).toBe(1);
    // Those whose headers were read and which a route has taken, and the last one.
    await metricsAfter(edge.router, 5);
    expect(edge.counted.filter(({ ending }) => ending !== 'complete')).toEqual([]);
  }, 30_000);

  test('ERR-28: is cut sooner when it pauses', async () => {
    const [, , head, piece] = REFUSALS[0] as Row;
    const goesOn = await edge.open(head, { outlastsEnd: true });
    const sending = goesOn.sendForEver(piece);
    const before = edge.connections();
    await Promise.all(
      REFUSALS.map(async ([status, , pausedHead, pausedPiece]) => {
        const client = await edge.open(Buffer.concat([pausedHead, pausedPiece]), { outlastsEnd: true });
        expect((await client.response()).status).toBe(status);
      }),
    );
    await eventually(() => edge.connections() <= before);
    expect(goesOn.isCut).toBe(false);
    await sending;
  });

  test('ERR-28: that has sent all loses no time', async () => {
    const client = await edge.open(requestOf(POST, [HOST, HOST, 'Content-Length: 10'], '0123456789'));
    expect(await client.ended).toBe('fin');
    expect(errorIn(await client.response())).toEqual(apiError(400, 'bad_request'));
  });

  test('ERR-28: and leaves with its answer has had a complete one', async () => {
    for (const leave of ['close', 'reset', 'finish'] as const) {
      const client = await edge.open(Buffer.concat([requestOf(POST, [HOST, HUGE]), PIECE]));
      expect((await client.response()).status).toBe(413);
      client[leave]();
    }
    const metrics = await metricsAfter(edge.router, 3);
    expect(metrics.by('status', 'requests_total')).toEqual({ 413: 3 });
    expect(edge.counted.map(({ ending }) => ending)).toEqual(Array(3).fill('complete'));
    expect(edge.complaints).toEqual([]);
  });
});

test('ERR-28: what is dropped counts for nobody', async () => {
  const client = await edge.open(requestOf(POST, [HOST, HUGE]));
  await client.receives('request_too_large');
  for (let i = 0; i < 10; i += 1) await client.send(PIECE);
  expect((await edge.answerTo(completionOf())).status).toBe(200);
  await client.cut;
  await metricsAfter(edge.router, 2);
  expect(edge.counted).toMatchObject([
    { status: 200, bytes_in: expect.any(Number) },
    { status: 413, bytes_in: 0 },
  ]);
});
