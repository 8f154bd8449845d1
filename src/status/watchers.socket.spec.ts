import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { RequestRecord } from '../request/request-record.js';
import { eventually } from '../../test/support/router.js';
import { RawClient } from '../../test/support/raw-client.js';
import { Watchers } from './watchers.socket.js';

const WATCH = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

let watchers: Watchers;
let server: Server;
let port: number;

beforeEach(async () => {
  jest.useFakeTimers({
    doNotFake: ['setImmediate', 'setTimeout', 'nextTick', 'performance', 'queueMicrotask'],
  });
  watchers = new Watchers({ isStopping: false, stopping: new Promise<void>(() => {}) } as never);
  server = createServer((request, response) => {
    watchers.add(new RequestRecord(request, response, 'id', undefined, 0, false));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ({ port } = server.address() as AddressInfo);
});

afterEach(() => {
  jest.useRealTimers();
  server.closeAllConnections();
  server.close();
});

test('STA-8: a comment every 15 s keeps the connection', async () => {
  const client = await RawClient.open(port, WATCH);
  await client.receives(':\n\n');
  const comments = () => client.received.toString().split(':\n\n').length - 1;
  for (let n = 2; n < 5; n += 1) {
    jest.advanceTimersByTime(14_999);
    jest.advanceTimersByTime(1);
    await eventually(() => comments() === n);
  }
  client.close();
  await eventually(() => watchers.count === 0);
  expect(jest.getTimerCount()).toBe(0);
});

test('STA-9: who takes nothing from one comment to the next is cut', async () => {
  const [deaf, slow] = await Promise.all([RawClient.open(port, WATCH), RawClient.open(port, WATCH)]);
  await Promise.all([deaf, slow].map(async (client) => client.receives(':\n\n')));
  deaf.stopReading();
  slow.stopReading();
  // More than the system takes for either.
  watchers.send('models', { text: 'x'.repeat(16_000_000) });
  jest.advanceTimersByTime(15_000);
  expect(watchers.count).toBe(2);
  const before = watchers.waiting;
  slow.readOn();
  await eventually(() => watchers.waiting.some((bytes, n) => bytes < (before[n] ?? 0)));
  slow.stopReading();
  jest.advanceTimersByTime(15_000);
  await eventually(() => watchers.count === 1);
  deaf.readOn();
  await deaf.cut;
  slow.close();
});

test('STA-9: who reads nothing is held no more for than one event past 256 KiB, and keeps nothing from others', async () => {
  const [deaf, reader] = await Promise.all([RawClient.open(port, WATCH), RawClient.open(port, WATCH)]);
  await Promise.all([deaf, reader].map(async (client) => client.receives(':\n\n')));
  deaf.stopReading();
  const text = 'x'.repeat(1_000_000);
  for (let n = 1; n <= 40; n += 1) {
    watchers.send('models', { n, text });
    await eventually(() => reader.bytesReceived > n * 1_000_000);
  }
  const [held = 0] = watchers.waiting;
  expect(held).toBeGreaterThan(262_144);
  // A large write counts twice while the system takes it.
  expect(held).toBeLessThan(4_000_000);
  deaf.close();
  reader.close();
});
