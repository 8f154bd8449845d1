import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ask } from './support/ask.js';
import { bodyOf, completionOf, Edge, errorIn, MODEL, OTHER_MODEL, POST, requestOf } from './support/edge.js';
import { BUDGET, LARGE, LIMITS, OVERLOADED } from './support/edge-budget.js';
import type { RawClient } from './support/raw-client.js';
import type { RawResponse } from './support/raw-response.js';
import { eventually } from './support/router.js';

let edge: Edge;

beforeEach(async () => {
  edge = await Edge.start(LIMITS);
});

afterEach(async () => edge.close());

/** Sends large requests until one is answered with this status. */
async function eventuallyAnswered(status: number): Promise<RawResponse> {
  let response: RawResponse | undefined;
  await eventually(async () => {
    response = await edge.answerTo(completionOf(bodyOf(LARGE, OTHER_MODEL)));
    return response.status === status;
  });
  if (!response) throw new Error('There is no response.');
  return response;
}

describe('the budget', () => {
  /** Takes it up with a request for {@link MODEL}, and says how it is given back. */
  const HOLDERS: readonly (readonly [how: string, hold: () => Promise<() => unknown>])[] = [
    [
      'the answer begins',
      async () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        edge.chutes.behave(MODEL, {
          kind: 'scripted',
          script: async (exchange) => {
            await promise;
            await exchange.head(200, { 'content-type': 'text/event-stream' });
            await exchange.event('first');
            // The answer goes on: it is the commit that counts.
            await exchange.silence();
          },
        });
        const client = await edge.open(completionOf(bodyOf(LARGE, MODEL, '"stream":true,')));
        await edge.chutes.nextRequest();
        return async () => {
          resolve();
          await client.receives('first');
        };
      },
    ],
    ['the upstream fails', async () => waitingFor('reset')],
    ['the upstream refuses', async () => waitingFor('rate-limited')],
    [
      'the client leaves while it waits',
      async () => {
        edge.chutes.behave(MODEL, 'silent');
        const client = await edge.open(completionOf(bodyOf(LARGE)));
        await edge.chutes.nextRequest();
        return () => client.close();
      },
    ],
    ['the client leaves while it uploads', async () => uploading((client) => client.reset())],
    ['the client ends in the middle', async () => uploading((client) => client.finish())],
    ['the body is not JSON', async () => uploading(async (client) => client.send('x'.repeat(LARGE)))],
    [
      'the body takes too long',
      async () => {
        await edge.close();
        edge = await Edge.start({ ...LIMITS, REQUEST_BODY_TIMEOUT_MS: '2500' });
        return uploading(async (client) => client.receives('request_timeout'));
      },
    ],
    [
      'the framing breaks',
      async () => {
        const client = await edge.open(
          requestOf(POST, ['Host: x', 'Transfer-Encoding: chunked'], `${LARGE.toString(16)}\r\n`),
        );
        await client.send('x'.repeat(LARGE));
        return async () => client.send('no end of the chunk');
      },
    ],
  ];

  test.each(HOLDERS)('CFG-34, CFG-37: is given back when %s', async (_, hold) => {
    const giveBack = await hold();
    expect(errorIn(await eventuallyAnswered(503))).toEqual(OVERLOADED);
    expect((await ask(edge.router, '/healthz')).status).toBe(200);
    await giveBack();
    await eventuallyAnswered(200);
    expect(edge.complaints).toEqual([]);
  });

  test('CFG-34, CFG-37: is all there again after many refusals', async () => {
    const whole = completionOf(bodyOf(BUDGET));
    edge.chutes.behave(MODEL, { kind: 'slow-headers', ms: 300 });
    const clients = await Promise.all(Array.from({ length: 20 }, async () => edge.open(whole)));
    const statuses = await Promise.all(clients.map(async (client) => (await client.response()).status));
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect(statuses).toContain(503);
    await edge.settled();
    expect((await edge.answerTo(whole)).status).toBe(200);
  });
});

test('CFG-65, ATT-71: no body is refused for the sake of an answer that is held', async () => {
  edge.chutes.behave(MODEL, {
    kind: 'scripted',
    script: async (exchange) => {
      exchange.begin(200, { 'content-type': 'application/json' });
      await exchange.write(`{"padding":"${'x'.repeat(LARGE)}`);
      await exchange.silence();
    },
  });
  const holding = await edge.open(completionOf(`{"model":"${MODEL},${OTHER_MODEL}"}`));
  await edge.chutes.nextRequest();
  const large = completionOf(bodyOf(LARGE, OTHER_MODEL));
  expect((await edge.answerTo(large)).status).toBe(200);
  await holding.receives('{"padding":"x');
});

test('CFG-58, CFG-37: bodies in small pieces count with the room that is made for them', async () => {
  const head = requestOf(POST, ['Host: x', 'Transfer-Encoding: chunked']);
  const start = Buffer.concat([head, Buffer.from('1\r\n{\r\n'.repeat(3))]);
  // A kibibyte for each is more than the budget; their bytes would be a thousandth of it.
  const clients = await Promise.all(Array.from({ length: 120 }, async () => edge.open(start)));
  const refused = await Promise.race(clients.map(async (client) => client.response()));
  expect(errorIn(refused)).toEqual(OVERLOADED);
  for (const client of clients) client.close();
  await edge.settled();
  expect((await edge.answerTo(completionOf(bodyOf(BUDGET)))).status).toBe(200);
});

test('CFG-58: a body that fits is read in whatever pieces it comes', async () => {
  const body = bodyOf(BUDGET);
  const client = await edge.open(requestOf(POST, ['Host: x', `Content-Length: ${body.length}`]));
  for (let at = 0; at < body.length; at += 997) await client.send(body.slice(at, at + 997));
  expect((await client.response()).status).toBe(200);
  expect((await edge.chutes.nextRequest()).body.toString()).toBe(body);
});

/** A request that waits for an upstream which will do this. */
async function waitingFor(kind: 'reset' | 'rate-limited'): Promise<() => unknown> {
  const { promise, resolve } = Promise.withResolvers<void>();
  edge.chutes.behave(MODEL, {
    kind: 'scripted',
    script: async (exchange) => {
      await promise;
      if (kind === 'reset') return exchange.reset();
      await exchange.head(429);
    },
  });
  await edge.open(completionOf(bodyOf(LARGE)));
  await edge.chutes.nextRequest();
  return resolve;
}

/** An upload that stops in the middle. */
async function uploading(end: (client: RawClient) => unknown): Promise<() => unknown> {
  const client = await edge.beginUpload(2 * LARGE);
  await client.send('x'.repeat(LARGE));
  return () => end(client);
}
