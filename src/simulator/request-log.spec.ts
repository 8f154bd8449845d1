import { describe, expect, test } from '@jest/globals';
import { RecordedRequest } from './recorded-request.js';
import { RequestLog } from './request-log.js';

const any = () => true;

function arrive(log: RequestLog, path: string, body = ''): RecordedRequest {
  const request = new RecordedRequest({
    method: 'POST',
    path,
    httpVersion: '1.1',
    rawHeaders: [],
    headers: {},
    remotePort: 1,
  });
  log.arrived(request);
  request.body = Buffer.from(body);
  request.isReceived = true;
  log.received(request);
  return request;
}

describe('request log', () => {
  test('SIM-24: keeps the last ones, at most so many, and counts on', () => {
    const log = new RequestLog(2, 1000);
    ['/a?1', '/a?2', '/a?3'].forEach((path) => arrive(log, path));
    expect(log.requests.map(({ path }) => path)).toEqual(['/a?2', '/a?3']);
    expect(log.count('/a')).toBe(3);
  });

  test('SIM-24: keeps at most so many bytes, but always the last request', () => {
    const log = new RequestLog(100, 10);
    ['12345', '12345', '1', '12345678901234567890'].forEach((body) => arrive(log, '/a', body));
    expect(log.requests.map(({ body }) => body.toString())).toEqual(['12345678901234567890']);
    arrive(log, '/a', '1');
    expect(log.requests.map(({ body }) => body.toString())).toEqual(['1']);
  });

  test('SIM-24: keeps nothing if told so', () => {
    const log = new RequestLog(0, 1000);
    arrive(log, '/a', 'body');
    expect(log.requests).toEqual([]);
    expect(log.count('/a')).toBe(1);
  });

  test('SIM-24: counts a bounded number of different paths', () => {
    const log = new RequestLog(0, 0);
    Array.from({ length: 1100 }, (_, index) => arrive(log, `/${index}`));
    expect(log.count('/999')).toBe(1);
    expect(log.count('/1001')).toBe(0);
  });

  test('SIM-23: hands out each request once, in order, whether it came before or comes later', async () => {
    const log = new RequestLog(10, 1000);
    const first = arrive(log, '/a');
    await expect(log.next(any, 100)).resolves.toBe(first);
    const [second, third] = [log.next(any, 100), log.next(any, 100)];
    const arrivals = [arrive(log, '/b'), arrive(log, '/c')];
    await expect(Promise.all([second, third])).resolves.toEqual(arrivals);
  });

  test('SIM-23: waits for a request of the right kind only', async () => {
    const log = new RequestLog(10, 1000);
    const wanted = log.next(({ path }) => path === '/b', 100);
    arrive(log, '/a');
    const right = arrive(log, '/b');
    await expect(wanted).resolves.toBe(right);
  });

  test('SIM-23: fails when none comes in time, or when nobody will come any more', async () => {
    const log = new RequestLog(10, 1000);
    await expect(log.next(any, 5)).rejects.toThrow('No request arrived within 5 ms.');
    const waiting = log.next(any, 10_000);
    log.stopWaiting('closed');
    await expect(waiting).rejects.toThrow('closed');
  });
});
