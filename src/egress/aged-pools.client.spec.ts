import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AgedPools } from './aged-pools.client.js';

const MAX_AGE_MS = 1_000;

describe('the pool of an origin', () => {
  let server: Server;
  let origin: string;
  let pools: AgedPools;
  let connections: number;

  beforeEach(async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
    connections = 0;
    server = createServer((_, response) => response.end('x')).on('connection', () => (connections += 1));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    pools = new AgedPools({ keepAliveTimeout: 60_000 }, MAX_AGE_MS);
  });

  afterEach(async () => {
    jest.useRealTimers();
    await pools.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  async function call(): Promise<number> {
    const { body } = await pools.of(origin).request({ path: '/', method: 'GET' });
    await body.dump();
    return connections;
  }

  it('ATT-43: is used until it has its age, and no longer', () => {
    const first = pools.of(origin);
    jest.advanceTimersByTime(MAX_AGE_MS - 1);
    expect(pools.of(origin)).toBe(first);
    jest.advanceTimersByTime(1);
    const second = pools.of(origin);
    expect([first.closed, second.closed]).toEqual([true, false]);
    jest.advanceTimersByTime(MAX_AGE_MS - 1);
    expect(pools.of(origin)).toBe(second);
  });

  it('ATT-43: closes idle connections when it is replaced', async () => {
    const closed = Promise.withResolvers<void>();
    server.once('connection', (socket) => socket.once('close', closed.resolve));
    await call();
    jest.advanceTimersByTime(MAX_AGE_MS);
    expect(await call()).toBe(2);
    await closed.promise;
  });

  it('CAT-21: is replaced on request', () => {
    const first = pools.of(origin);
    pools.renew(origin);
    pools.renew(origin);
    expect(first.closed).toBe(true);
    expect(pools.of(origin).closed).toBe(false);
  });

  it('ATT-43: opens nothing any more once all are destroyed', async () => {
    await call();
    await pools.destroy();
    await expect(call()).rejects.toThrow('destroyed');
    jest.advanceTimersByTime(MAX_AGE_MS);
    await expect(call()).rejects.toThrow('destroyed');
    pools.renew(origin);
    await expect(call()).rejects.toThrow('destroyed');
    expect(connections).toBe(1);
  });
});
