import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { apiError, BODY, completionOf, Edge, errorIn, GET_HEALTH, POST, requestOf } from './support/edge.js';
import { metricsAfter } from './support/metrics.js';
import type { RawClient } from './support/raw-client.js';
import { eventually } from './support/router.js';

const BAD_REQUEST = apiError(400, 'bad_request');
/** How many unfinished requests a connection is read with, and how many one read may bring. */
const READ_ON_BELOW = 32;
const MOST = 64;
/** As many as one read can hold. */
const FLOOD = 1_900;

let edge: Edge;
let letGo: () => void;

beforeEach(async () => {
  edge = await Edge.start();
  letGo = edge.holdBack('{}', { 'content-type': 'application/json' });
});

afterEach(async () => {
  letGo();
  await edge.close();
});

const repeated = (bytes: Buffer, times: number) => Buffer.concat(Array(times).fill(bytes));

async function statuses(client: RawClient, count: number): Promise<number[]> {
  const found: number[] = [];
  while (found.length < count) found.push((await client.response()).status);
  return found;
}

const all = (count: number) => Array<number>(count).fill(200);

describe('what one read brings', () => {
  test.each([
    ['a request that waits for its model', completionOf()],
    [
      'one whose body has no length',
      requestOf(
        POST,
        ['Host: x', 'Transfer-Encoding: chunked'],
        `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`,
      ),
    ],
    ['one that the router answers itself', GET_HEALTH],
    ['one for the model list', requestOf('GET /v1/models HTTP/1.1', ['Host: x'])],
  ])('RTE-25: %s is answered 64 times', async (_, request) => {
    const client = await edge.open(repeated(request, MOST));
    letGo();
    expect(await statuses(client, MOST)).toEqual(all(MOST));
    await client.send(GET_HEALTH);
    expect((await client.response()).status).toBe(200);
  });

  test.each([
    ['one too many', MOST + 1],
    ['as many as there can be', FLOOD],
    ['more than that', 5 * FLOOD],
  ])('RTE-25, ERR-35: %s end with a 400, and the connection with it', async (_, count) => {
    const client = await edge.open(repeated(GET_HEALTH, count));
    expect(await statuses(client, MOST)).toEqual(all(MOST));
    expect(errorIn(await client.response())).toEqual(BAD_REQUEST);
    expect(await client.ended).toBe('fin');
    expect(client.received.toString()).toBe('');
    expect(edge.complaints).toEqual([]);
  });

  test('RTE-25, ERR-28: the 400 reaches a client that goes on sending', async () => {
    const client = await edge.open(repeated(completionOf(), FLOOD));
    for (let n = 0; n < 20; n += 1) await client.send(repeated(GET_HEALTH, FLOOD));
    letGo();
    expect(await statuses(client, MOST)).toEqual(all(MOST));
    expect(errorIn(await client.response())).toEqual(BAD_REQUEST);
    expect(edge.chutes.count()).toBe(MOST);
  });
});

describe('a client that leaves', () => {
  test.each([
    ['behind too many', FLOOD, MOST],
    ['behind 32', READ_ON_BELOW, READ_ON_BELOW],
    ['behind 40', 40, 40],
  ])('RTE-25, ATT-28: %s is noticed', async (_, sent, taken) => {
    for (const leave of ['finish', 'reset'] as const) {
      const before = edge.chutes.count();
      const client = await edge.open(repeated(completionOf(), sent));
      await eventually(() => edge.chutes.count() === before + taken);
      client[leave]();
      await edge.settled();
      client.close();
    }
    const metrics = await metricsAfter(edge.router, 2 * taken);
    expect(metrics.by('status', 'requests_total')).toEqual({ 499: 2 * taken });
  });

  test('RTE-25, ATT-28: is noticed by its reset though it has sent more than is read', async () => {
    const client = await edge.open(repeated(completionOf(), READ_ON_BELOW));
    await eventually(() => edge.chutes.count() === READ_ON_BELOW);
    await client.send(completionOf());
    client.reset();
    const metrics = await metricsAfter(edge.router, READ_ON_BELOW);
    expect(metrics.by('status', 'requests_total')).toEqual({ 499: READ_ON_BELOW });
  });

  test('RTE-25, ERR-25: with a CONNECT has all that wait aborted', async () => {
    const client = await edge.open(
      Buffer.concat([repeated(completionOf(), 3), requestOf('CONNECT x:1 HTTP/1.1', ['Host: x'])]),
    );
    await client.ended;
    expect((await metricsAfter(edge.router, 3)).by('status', 'requests_total')).toEqual({ 499: 3 });
  });
});

describe('what comes after 32 that are not finished', () => {
  test('RTE-25: is not read until one of them is', async () => {
    const client = await edge.open(repeated(completionOf(), READ_ON_BELOW));
    await eventually(() => edge.chutes.count() === READ_ON_BELOW);
    await client.send(completionOf());
    // One that came later shows that it would have been read.
    expect((await edge.answerTo(GET_HEALTH)).status).toBe(200);
    expect(edge.chutes.count()).toBe(READ_ON_BELOW);
    letGo();
    expect(await statuses(client, READ_ON_BELOW + 1)).toEqual(all(READ_ON_BELOW + 1));
    expect(edge.chutes.count()).toBe(READ_ON_BELOW + 1);
  });

  test('RTE-25: is read while the last one’s body is on its way, and no further', async () => {
    const client = await edge.open(repeated(completionOf(), READ_ON_BELOW - 1));
    await eventually(() => edge.chutes.count() === READ_ON_BELOW - 1);
    await client.send(requestOf(POST, ['Host: x', `Content-Length: ${BODY.length}`]));
    for (const part of [BODY.slice(0, 5), BODY.slice(5)]) {
      expect((await edge.answerTo(GET_HEALTH)).status).toBe(200);
      await client.send(part);
    }
    await eventually(() => edge.chutes.count() === READ_ON_BELOW);
    await client.send(completionOf());
    expect((await edge.answerTo(GET_HEALTH)).status).toBe(200);
    expect(edge.chutes.count()).toBe(READ_ON_BELOW);
    letGo();
    expect(await statuses(client, READ_ON_BELOW + 1)).toEqual(all(READ_ON_BELOW + 1));
  });

  test('RTE-25: is answered in the end to a client that sends one at a time and never waits', async () => {
    letGo();
    const client = await edge.open();
    const count = 300;
    // It keeps so many ahead.
    const ahead = 40;
    const found: number[] = [];
    for (let n = 0; n < count; n += 1) {
      await client.send(completionOf());
      if (n >= ahead) found.push((await client.response()).status);
    }
    found.push(...(await statuses(client, ahead)));
    expect([found, edge.chutes.count()]).toEqual([all(count), count]);
  });
});
