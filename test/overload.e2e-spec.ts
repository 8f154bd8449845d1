import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RequestTelemetry } from '../src/telemetry/request-telemetry.service.js';
import { ask } from './support/ask.js';
import {
  BODY,
  bodyOf,
  completionOf,
  Edge,
  apiError,
  errorIn,
  MODEL,
  OTHER_MODEL,
  requestOf,
  POST,
} from './support/edge.js';
import { BUDGET, LARGE, LIMITS, OVERLOADED } from './support/edge-budget.js';
import type { RawClient } from './support/raw-client.js';
import { eventually } from './support/router.js';

let edge: Edge;

beforeEach(async () => {
  edge = await Edge.start(LIMITS);
});

afterEach(async () => edge.close());

describe('bodies past MAX_INFLIGHT_BODY_BYTES', () => {
  test.each([
    ['the older one', 0],
    ['the newest itself', 1],
  ])('CFG-33, ERR-12: the newest is refused, whichever brings it about: %s', async (_, last) => {
    const clients = [await edge.beginUpload(LARGE), await edge.beginUpload(LARGE)] as const;
    const [older, newer] = clients;
    const body = bodyOf(LARGE);
    const [response, arrivals] = await edge.withArrivals(async () => {
      await clients[1 - last]?.send(body.slice(0, 50_000));
      await eventually(() => bytesHeld(edge) >= 50_000);
      await clients[last]?.send(body.slice(0, 55_000));
      return newer.response();
    });
    expect(errorIn(response)).toEqual(OVERLOADED);
    expect(arrivals).toBe(0);
    await older.send(body.slice(last === 0 ? 55_000 : 50_000));
    expect((await older.response()).status).toBe(200);
    expect(await newer.ended).toBe('fin');
  });

  test('CFG-33: as many are refused as it takes, the newest first', async () => {
    const clients = [];
    for (let i = 0; i < 4; i += 1) clients.push(await edge.beginUpload(40_000));
    const body = bodyOf(40_000);
    const [first, second, third, fourth] = clients as [RawClient, RawClient, RawClient, RawClient];
    await Promise.all([second, third, fourth].map(async (client) => client.send(body.slice(0, 30_000))));
    await eventually(() => bytesHeld(edge) >= 90_000);
    await first.send(body.slice(0, 39_000));
    expect(errorIn(await fourth.response())).toEqual(OVERLOADED);
    await second.send(body.slice(30_000, 39_000));
    expect(errorIn(await third.response())).toEqual(OVERLOADED);
    for (const client of [first, second]) await client.send(body.slice(39_000));
    expect([(await first.response()).status, (await second.response()).status]).toEqual([200, 200]);
  });

  test('CFG-22, CFG-34: one that waits for the upstream counts and is left in peace', async () => {
    const letGo = edge.holdBack('late');
    const older = await edge.beginUpload(LARGE);
    const waiting = await edge.open(completionOf(bodyOf(LARGE)));
    await edge.chutes.nextRequest();
    // The older one is now the newest that is still being received.
    await older.send(bodyOf(LARGE).slice(0, 50_000));
    expect(errorIn(await older.response())).toEqual(OVERLOADED);
    letGo();
    expect((await waiting.response()).body.toString()).toBe('late');
  });

  test('CFG-22: a body that alone is larger is refused', async () => {
    expect(errorIn(await edge.answerTo(completionOf(bodyOf(BUDGET + 1))))).toEqual(OVERLOADED);
    expect((await edge.answerTo(completionOf(bodyOf(BUDGET)))).status).toBe(200);
  });

  test('CFG-22, CFG-34: the chunks’ framing does not count', async () => {
    const chunks = Array.from(bodyOf(3_000), (byte) => `1\r\n${byte}\r\n`).join('');
    const head = requestOf(POST, ['Host: x', 'Transfer-Encoding: chunked']);
    await edge.close();
    edge = await Edge.start({ MAX_INFLIGHT_BODY_BYTES: '3000' });
    expect((await edge.answerTo(Buffer.concat([head, Buffer.from(`${chunks}0\r\n\r\n`)]))).status).toBe(200);
    expect((await edge.chutes.nextRequest()).body.toString()).toBe(bodyOf(3_000));
  });
});

describe('connections', () => {
  test('CFG-37, ATT-25: with all of the upstream busy requests are refused, and served when one is free', async () => {
    await edge.close();
    edge = await Edge.start({ UPSTREAM_MAX_CONNECTIONS: '2', UPSTREAM_CONNECT_TIMEOUT_MS: '500' });
    edge.chutes.behave(MODEL, 'silent');
    const busy = [await edge.open(completionOf()), await edge.open(completionOf())];
    for (const _ of busy) await edge.chutes.nextRequest();
    const other = completionOf(`{"model":"${OTHER_MODEL}"}`);
    const client = await edge.open(other);
    expect(errorIn(await client.response())).toEqual(
      apiError(503, 'overloaded', { connection: 'keep-alive' }),
    );
    expect((await ask(edge.router, '/healthz')).status).toBe(200);
    busy[0]?.close();
    // The refusal has cost no connection.
    await client.send(other);
    expect((await client.response()).status).toBe(200);
  });

  test('CFG-24, CFG-37: beyond MAX_CLIENT_CONNECTIONS are refused, while those that are there are served', async () => {
    const most = 6;
    await edge.close();
    edge = await Edge.start({ MAX_CLIENT_CONNECTIONS: String(most) });
    const clients: RawClient[] = [];
    for (let open = edge.connections(); open < most; open += 1) clients.push(await edge.open());
    await eventually(() => edge.connections() === most);
    const [kept, leaving] = clients as [RawClient, RawClient];

    const refused = await edge.open();
    await refused.cut;
    expect(refused.bytesReceived).toBe(0);
    await kept.send(requestOf('GET /healthz HTTP/1.1', ['Host: x']));
    expect((await kept.response()).status).toBe(200);
    await kept.send(completionOf(BODY));
    expect((await kept.response()).status).toBe(200);

    leaving.close();
    await eventually(() => edge.connections() < most);
    expect((await edge.answerTo(completionOf(BODY))).status).toBe(200);
  });
});

/** How much has come of the requests that are running. */
function bytesHeld({ router }: Edge): number {
  const records = [...router.app.get(RequestTelemetry).unfinished];
  return records.reduce((sum, { bytesIn }) => sum + bytesIn, 0);
}
