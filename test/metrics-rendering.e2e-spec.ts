import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { MetricsService } from '../src/telemetry/metrics.service.js';
import { completionOf, Edge, requestOf } from './support/edge.js';
import { Metrics } from './support/metrics.js';

const GET_METRICS = requestOf('GET /metrics HTTP/1.1', ['Host: x']);
const MAX_AGE_MS = 250;

let edge: Edge;
let render: jest.Spied<() => Promise<string>>;

beforeAll(async () => {
  edge = await Edge.start();
  render = jest.spyOn(edge.router.app.get(MetricsService).registry, 'metrics');
});

beforeEach(async () => {
  // Of what other tests have brought nothing is shared any more.
  await new Promise((resolve) => setTimeout(resolve, MAX_AGE_MS + 1));
  render.mockClear();
});

afterAll(async () => {
  await edge.close();
});

/** How many renderings there can be in so long a time. */
const mostWithin = (ms: number) => 1 + Math.ceil(ms / MAX_AGE_MS);

test('OBS-42: a pipeline of scrapes, and many at a time, share their renderings', async () => {
  const begunAtMs = performance.now();
  const clients = await Promise.all(
    Array.from({ length: 30 }, async () => edge.open(Buffer.concat(Array(20).fill(GET_METRICS)))),
  );
  for (const client of clients) {
    for (let n = 0; n < 20; n += 1) expect((await client.response()).status).toBe(200);
  }
  expect(render.mock.calls.length).toBeLessThanOrEqual(mostWithin(performance.now() - begunAtMs));
});

test('OBS-42: while a rendering is made, nobody begins another', async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  render.mockReturnValueOnce(promise);
  const first = await edge.open(GET_METRICS);
  await new Promise((resolved) => setTimeout(resolved, 2 * MAX_AGE_MS));
  const second = await edge.open(GET_METRICS);
  expect((await edge.answerTo(requestOf('GET /healthz HTTP/1.1', ['Host: x']))).status).toBe(200);
  resolve('a 1\n');
  for (const client of [first, second]) expect((await client.response()).body.toString()).toBe('a 1\n');
  expect(render).toHaveBeenCalledTimes(1);
});

test('OBS-42, OBS-2: a scrape that comes later brings what has happened since', async () => {
  const ended = async () =>
    new Metrics((await edge.answerTo(GET_METRICS)).body.toString()).value('requests_total', { status: 200 });
  const before = await ended();
  await edge.answerTo(completionOf());
  await edge.settled();
  await new Promise((resolve) => setTimeout(resolve, MAX_AGE_MS + 1));
  expect(await ended()).toBe(before + 1);
});
