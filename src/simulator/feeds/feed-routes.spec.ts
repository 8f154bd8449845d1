import { type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../chutes-simulator.js';
import { HUGE_BYTES, type NamedFeedBehaviour } from '../faults/feed-misbehaviour.js';

const PATHS = {
  models: '/v1/models',
  utilization: '/chutes/utilization',
  stats: '/invocations/stats/llm',
} as const;
const FEEDS = ['models', 'utilization', 'stats'] as const;
let simulator: ChutesSimulator;

beforeAll(async () => {
  simulator = await ChutesSimulator.start();
});

beforeEach(() => simulator.reset());
afterAll(async () => simulator.close());

async function get(feed: keyof typeof PATHS, init: RequestInit = {}): Promise<Response> {
  return fetch(simulator.url + PATHS[feed], init);
}

function soon(): RequestInit {
  return { signal: AbortSignal.timeout(100) };
}

async function getRows(feed: keyof typeof PATHS): Promise<unknown> {
  const root: unknown = await (await get(feed)).json();
  return typeof root === 'object' && root !== null && 'data' in root ? root.data : root;
}

describe('feeds', () => {
  test('SIM-8: can be replaced, a string standing for a complete entry', async () => {
    simulator.models = ['a/one', { id: 'a/two' }, 7];
    simulator.utilization = ['a/one', { name: 'a/two' }, null];
    expect(await getRows('models')).toEqual([
      expect.objectContaining({ id: 'a/one', pricing: expect.anything() }),
      { id: 'a/two' },
      7,
    ]);
    expect(await getRows('utilization')).toEqual([
      expect.objectContaining({ name: 'a/one', utilization_5m: expect.any(Number) }),
      { name: 'a/two' },
      null,
    ]);
    simulator.reset();
    expect(await getRows('models')).toEqual(simulator.models);
    expect(simulator.models.length).toBeGreaterThan(70);
    expect(simulator.utilization.length).toBeGreaterThan(480);
  });

  test('SIM-7: move on request, and only then', async () => {
    const before = await getRows('utilization');
    expect(await getRows('utilization')).toEqual(before);
    simulator.advance();
    expect(await getRows('utilization')).not.toEqual(before);
  });

  test('SIM-7: move with the time', async () => {
    const quick = await ChutesSimulator.start({ tickMs: 10 });
    const before = quick.utilization;
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    expect(quick.utilization).not.toEqual(before);
    await quick.close();
  });

  test.each(FEEDS)('SIM-9: %s is gzipped for a client that accepts it, plain for others', async (feed) => {
    const fetchRaw = async (encoding: string) => {
      const outgoing = request(simulator.url + PATHS[feed], { headers: { 'accept-encoding': encoding } });
      const response = await new Promise<IncomingMessage>((resolve) => {
        outgoing.on('response', resolve).end();
      });
      return { encoding: response.headers['content-encoding'], body: await buffer(response) };
    };
    const gzipped = await fetchRaw('gzip, br');
    const plain = await fetchRaw('identity');
    expect([gzipped.encoding, plain.encoding]).toEqual(['gzip', undefined]);
    expect(gunzipSync(gzipped.body).equals(plain.body)).toBe(true);
  });
});

describe.each(FEEDS)('misbehaviour of %s', (feed) => {
  const outcomeOf = async (behaviour: NamedFeedBehaviour, init: RequestInit = {}) => {
    simulator.feed(feed, behaviour);
    const response = await get(feed, init);
    return { status: response.status, body: await response.text() };
  };
  test('SIM-21: answers that are no good document', async () => {
    expect(await outcomeOf('html')).toMatchObject({
      status: 200,
      body: expect.stringContaining('<!doctype'),
    });
    expect(await outcomeOf('error')).toMatchObject({ status: 500 });
    expect(await outcomeOf('no-body')).toEqual({ status: 200, body: '' });
    expect(await outcomeOf('wrong-root')).toEqual({ status: 200, body: '"maintenance"' });
    const { body } = await outcomeOf('truncated');
    expect(body.length).toBeGreaterThan(10_000);
    expect(() => JSON.parse(body) as unknown).toThrow('JSON');
    expect(await outcomeOf('redirect', { redirect: 'manual' })).toMatchObject({ status: 307 });
  });

  test('SIM-21: answers that do not come, or not in full', async () => {
    await expect(outcomeOf('reset')).rejects.toThrow('fetch failed');
    await expect(outcomeOf('cut')).rejects.toThrow('terminated');
    await expect(outcomeOf('silent', soon())).rejects.toThrow('timeout');
    await expect(outcomeOf('stall', soon())).rejects.toThrow('timeout');
  });

  test('SIM-21: no entries', async () => {
    simulator.feed(feed, 'empty');
    expect(await getRows(feed)).toEqual([]);
  });

  test('SIM-21: odd rows among the good ones', async () => {
    simulator.feed(feed, 'odd-rows');
    const good = simulator[feed];
    const rows = await getRows(feed);
    expect(rows).toEqual(expect.arrayContaining([null, 7, 'row', [], {}]));
    expect(rows).toEqual(
      expect.arrayContaining([expect.objectContaining({ utilization_current: Infinity })]),
    );
    expect(rows).toEqual(expect.arrayContaining([good[0], good.at(-1)]));
  });

  test('SIM-21: 50 MB', async () => {
    const { body } = await outcomeOf('huge');
    expect(body.length).toBeGreaterThan(HUGE_BYTES);
    expect(body).toMatch(/[\]}]$/);
  });

  test('SIM-21: any body, late, or by a script', async () => {
    simulator.feed(feed, { kind: 'body', body: { mine: 1 }, status: 203 });
    const response = await get(feed);
    expect([response.status, await response.json()]).toEqual([203, { mine: 1 }]);
    simulator.feed(feed, { kind: 'scripted', script: (exchange) => exchange.head(204) });
    expect((await get(feed)).status).toBe(204);
    simulator.feed(feed, { kind: 'slow', ms: 30 });
    const startedAtMs = performance.now();
    expect(await getRows(feed)).toEqual(simulator[feed]);
    expect(performance.now() - startedAtMs).toBeGreaterThan(28);
  });
});

describe('evidence', () => {
  const nonce = 'ab'.repeat(32);
  const ask = (id: string, query = `?nonce=${nonce}`) =>
    fetch(`${simulator.url}/chutes/${id}/evidence${query}`);

  test('SIM-16: by id or by name, for the first TEE model in the list', async () => {
    simulator.models = ['a/plain', { id: 'a/b-TEE', chute_id: 'the-id', confidential_compute: true }];
    expect((await ask('the-id')).status).toBe(200);
    expect((await ask('a%2Fb-TEE')).status).toBe(200);
    expect((await ask('a%2Fplain')).status).toBe(400);
    expect((await ask('nobody')).status).toBe(404);
    expect((await ask('the-id', '')).status).toBe(422);
  });

  test('SIM-16: most TEE models of the seed are too old, at least one gives evidence', async () => {
    const ids = (simulator.models as { id: string }[])
      .map(({ id }) => id)
      .filter((id) => id.endsWith('-TEE'));
    const statuses = await Promise.all(ids.map(async (id) => (await ask(encodeURIComponent(id))).status));
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(0);
    expect(statuses.filter((status) => status === 400).length).toBeGreaterThan(statuses.length / 3);
  });

  test('SIM-21: misbehaves when told to', async () => {
    simulator.feed('evidence', 'error');
    expect((await ask('nobody')).status).toBe(500);
  });
});
