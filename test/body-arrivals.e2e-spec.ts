import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  apiError,
  bodyOf,
  completionOf,
  Edge,
  errorIn,
  MODEL,
  OTHER_MODEL,
  POST,
  requestOf,
} from './support/edge.js';
import type { RawClient } from './support/raw-client.js';
import { eventually } from './support/router.js';

const BUDGET = 10_000;
/** More than half of the budget, and small enough to come along with its headers. */
const BODY = bodyOf(6_000);
const OVERLOADED = apiError(503, 'overloaded');

let edge: Edge;

beforeEach(async () => {
  edge = await Edge.start({ MAX_INFLIGHT_BODY_BYTES: String(BUDGET) });
});

afterEach(async () => edge.close());

/** Sends so many of the body's bytes along with the headers, and the others when the router has seen these. */
async function send(body: string, atOnce: number): Promise<RawClient> {
  const headers = ['Host: x', `Content-Length: ${body.length}`, 'Expect: 100-continue'];
  const client = await edge.open(requestOf(POST, headers, body.slice(0, atOnce)));
  await client.receives('100 Continue');
  if (atOnce < body.length) await client.send(body.slice(atOnce));
  return client;
}

describe('a body', () => {
  const WAYS: readonly (readonly [way: string, open: () => Promise<RawClient>])[] = [
    ['along with its headers', async () => edge.open(completionOf(BODY))],
    ['along with its headers, though it was to wait', async () => send(BODY, BODY.length)],
    ['in part along with its headers', async () => send(BODY, 2_000)],
    ['all but its last byte along with its headers', async () => send(BODY, BODY.length - 1)],
    ['behind its headers', async () => send(BODY, 0)],
  ];

  test.each(WAYS)('REQ-13, OBS-17: arrives as it was sent when it comes %s', async (_, open) => {
    const client = await open();
    expect((await client.response()).status).toBe(200);
    expect((await edge.chutes.nextRequest()).body.toString()).toBe(BODY);
    await edge.settled();
    expect(edge.counted.map(({ bytes_in }) => bytes_in)).toEqual([BODY.length]);
  });

  test.each(WAYS)('CFG-34: counts until its client leaves when it comes %s', async (_, open) => {
    edge.chutes.behave(MODEL, 'silent');
    const client = await open();
    await edge.chutes.nextRequest();
    const another = completionOf(bodyOf(6_000, OTHER_MODEL));
    expect(errorIn(await edge.answerTo(another))).toEqual(OVERLOADED);
    client.close();
    await eventually(async () => (await edge.answerTo(another)).status === 200);
  });
});

test('CFG-34, CFG-37: whole bodies that are refused leave the budget as it was', async () => {
  const tooMuch = completionOf(bodyOf(BUDGET + 1));
  for (let n = 0; n < 5; n += 1) expect(errorIn(await edge.answerTo(tooMuch))).toEqual(OVERLOADED);
  expect((await edge.answerTo(completionOf(bodyOf(BUDGET)))).status).toBe(200);
});

test('CFG-34, CFG-37: what the router cannot read leaves the budget as it was', async () => {
  for (let n = 0; n < 5; n += 1) {
    expect((await edge.answerTo(completionOf('x'.repeat(BUDGET)))).status).toBe(400);
  }
  expect((await edge.answerTo(completionOf(bodyOf(BUDGET)))).status).toBe(200);
});
