import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ModelId } from '../catalog/model-list.js';
import { loadConfig } from '../config/config.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import type { ClientKey } from './client-key.js';
import { MemoryStore } from './memory.store.js';
import type { Pin } from './pin.js';
import { StickyService } from './sticky.service.js';
import { StickyStore } from './sticky.store.js';

const [A, B, C] = ['a', 'b', 'c'] as ModelId[] as [ModelId, ModelId, ModelId];
const LIST = choices(A, B, C);
const SECRET = { STICKY_HASH_SECRET: 'secret of the tests' };

describe('keys', () => {
  const request = requestFrom('203.0.113.1', { authorization: 'Bearer cpk_1' });

  test.each(['STICKY_TTL_SECS', 'STICKY_MAX_ENTRIES'])('STK-7: 0 for %s means no key', (name) => {
    expect(serviceWith({ [name]: '0' }).keyOf(request, 'a,b')).toBeUndefined();
    expect(serviceWith({ [name]: '1' }).keyOf(request, 'a,b')).toBeDefined();
  });

  test('POL-16: clients are spread by token and session, whatever the secret, with stickiness off, too', () => {
    const seeds = [{}, SECRET, { STICKY_TTL_SECS: '0' }].map((env) => serviceWith(env).spreadSeed(request));
    expect(new Set(seeds).size).toBe(1);
    const headers = { authorization: 'Bearer cpk_1', 'x-session-id': '1' };
    expect(serviceWith().spreadSeed(requestFrom('203.0.113.1', headers))).not.toBe(seeds[0]);
  });

  test('STK-13: without a token the key is made of the address', () => {
    const service = serviceWith();
    const key = service.keyOf(requestFrom('203.0.113.1'), 'a,b');
    expect(service.keyOf(requestFrom('203.0.113.1'), 'a,b')).toBe(key);
    expect(service.keyOf(requestFrom('203.0.113.2'), 'a,b')).not.toBe(key);
  });

  test('STK-14: the session header is the one of the configuration', () => {
    const service = serviceWith({ STICKY_SESSION_HEADER: 'X-Conversation' });
    const keys = [{}, { 'x-session-id': '1' }, { 'x-conversation': '1' }, { 'x-conversation': '2' }].map(
      (headers) => service.keyOf(requestFrom('203.0.113.1', headers), 'a,b'),
    );
    expect(keys.map((key) => keys.indexOf(key))).toEqual([0, 0, 2, 3]);
  });

  test('STK-15: the secret of the configuration makes the same key in every process', () => {
    const [one, other, another] = [SECRET, SECRET, { STICKY_HASH_SECRET: 'another' }].map((env) =>
      serviceWith(env).keyOf(request, 'a,b'),
    );
    expect(one).toBe(other);
    expect(one).not.toBe(another);
  });

  test('STK-15: without a secret each start makes keys of its own', () => {
    expect(serviceWith().keyOf(request, 'a,b')).not.toBe(serviceWith().keyOf(request, 'a,b'));
  });

  test('STK-15: the store is given the key and the pin, nothing of the client', async () => {
    const store = new RecordingStore();
    const service = serviceWith({}, store);
    const headers = { authorization: 'Bearer cpk_the_token', 'x-session-id': 'the-session' };
    const key = keyOf(service, requestFrom('203.0.113.77', headers), 'a-value,b');
    await service.pinFor(key, LIST);
    service.answered(key, undefined, { model: A, isSecondChoice: false });
    service.failed(key, A);
    expect(store.calls).toEqual([
      ['get', key],
      ['set', key, { model: A }],
      ['drop', key, A],
    ]);
    expect(JSON.stringify(store.calls)).not.toMatch(/the_token|the-session|203\.0\.113\.77|a-value/);
  });
});

describe('pins', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000_000 });
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  test('STK-1: a pin holds while its model is among the candidates', async () => {
    const { service, key } = pinnedTo(B);
    expect(await service.pinFor(key, LIST)).toEqual({ model: B });
    expect(await service.pinFor(key, choices(A, C))).toBeUndefined();
    expect(await service.pinFor(key, LIST)).toEqual({ model: B });
  });

  test('STK-3: each value of the model has a pin of its own', async () => {
    const { service, key } = pinnedTo(B);
    const other = keyOf(service, requestFrom('203.0.113.1'), 'a,b');
    expect(await service.pinFor(other, LIST)).toBeUndefined();
    service.answered(other, undefined, { model: C, isSecondChoice: false });
    expect(await service.pinFor(key, LIST)).toEqual({ model: B });
  });

  test('STK-8: a failure drops the pin on the model that failed', async () => {
    const { service, key } = pinnedTo(B);
    service.failed(key, A);
    expect(await service.pinFor(key, LIST)).toEqual({ model: B });
    service.failed(key, B);
    expect(await service.pinFor(key, LIST)).toBeUndefined();
  });

  test('STK-19: a second choice stops applying after its time and can be made anew', async () => {
    const { service, key } = pinnedTo(B, { isSecondChoice: true });
    jest.advanceTimersByTime(29_999);
    expect(await service.pinFor(key, LIST)).toMatchObject({ model: B });
    jest.advanceTimersByTime(1);
    expect(await service.pinFor(key, LIST)).toBeUndefined();
    service.answered(key, undefined, { model: B, isSecondChoice: true });
    jest.advanceTimersByTime(29_999);
    expect(await service.pinFor(key, LIST)).toMatchObject({ model: B });
  });

  test('STK-19: the first choice does not stop applying', async () => {
    const { service, key } = pinnedTo(A);
    jest.advanceTimersByTime(1_000_000);
    expect(await service.pinFor(key, LIST)).toEqual({ model: A });
  });

  test.each([-3_600_000, 3_600_000])(
    'STK-38: a wall clock that is set by %i ms changes nothing',
    async (ms) => {
      const { service, key } = pinnedTo(B, { isSecondChoice: true });
      jest.setSystemTime(Date.now() + ms);
      jest.advanceTimersByTime(29_999);
      expect(await service.pinFor(key, LIST)).toMatchObject({ model: B });
      jest.advanceTimersByTime(1);
      expect(await service.pinFor(key, LIST)).toBeUndefined();
    },
  );

  test('STK-20: answers in between do not move the moment', async () => {
    const { service, key } = pinnedTo(B, { isSecondChoice: true });
    for (const ms of [10_000, 10_000, 9_999]) {
      jest.advanceTimersByTime(ms);
      const pin = await service.pinFor(key, LIST);
      service.answered(key, pin, { model: B, isSecondChoice: true });
    }
    jest.advanceTimersByTime(1);
    expect(await service.pinFor(key, LIST)).toBeUndefined();
  });

  test('STK-21: with failback off a second choice does not stop applying', async () => {
    const { service, key } = pinnedTo(B, { isSecondChoice: true }, { STICKY_FAILBACK_SECS: '0' });
    jest.advanceTimersByTime(1_000_000);
    expect(await service.pinFor(key, LIST)).toEqual({ model: B });
  });
});

test('STK-25, OBS-41: lookups and writes that fail cost no request, and are counted', async () => {
  const metrics = new MetricsService();
  const service = serviceWith({}, new BrokenStore(), metrics);
  const key = keyOf(service, requestFrom('203.0.113.1'), 'a,b');
  expect(await service.pinFor(key, LIST)).toBeUndefined();
  service.answered(key, undefined, { model: A, isSecondChoice: false });
  service.failed(key, A);
  // A rejection that nobody takes would fail the test here.
  await new Promise(setImmediate);
  const text = await metrics.registry.metrics();
  expect(text).toContain('chutes_autopilot_sticky_lookups_total{outcome="error"} 1');
  expect(text).toContain('chutes_autopilot_sticky_write_errors_total 2');
});

test('OBS-41: a write that succeeds is no error, in memory neither', async () => {
  const metrics = new MetricsService();
  const service = serviceWith({}, undefined, metrics);
  const key = keyOf(service, requestFrom('203.0.113.1'), 'a,b');
  service.answered(key, undefined, { model: A, isSecondChoice: false });
  service.failed(key, A);
  expect(await metrics.registry.metrics()).toContain('chutes_autopilot_sticky_write_errors_total 0');
});

function serviceWith(
  env: Readonly<Record<string, string>> = {},
  store?: StickyStore,
  metrics = new MetricsService(),
): StickyService {
  const config = loadConfig(env);
  const { ttlMs, maxEntries } = config.sticky;
  return new StickyService(config, store ?? new MemoryStore({ ttlMs, maxEntries }), metrics);
}

function pinnedTo(
  model: ModelId,
  { isSecondChoice = false } = {},
  env: Readonly<Record<string, string>> = {},
) {
  const service = serviceWith(env);
  const key = keyOf(service, requestFrom('203.0.113.1'), 'a,b,c');
  service.answered(key, undefined, { model, isSecondChoice });
  return { service, key };
}

function requestFrom(ip: string, headers: Readonly<Record<string, string>> = {}): IncomingMessage {
  return { socket: { remoteAddress: ip }, headers } as unknown as IncomingMessage;
}

function keyOf(service: StickyService, request: IncomingMessage, value: string): ClientKey {
  const key = service.keyOf(request, value);
  if (key === undefined) throw new Error('Stickiness is off.');
  return key;
}

class RecordingStore extends StickyStore {
  readonly calls: unknown[][] = [];

  nowMs(): number {
    return 0;
  }

  async get(key: ClientKey): Promise<Pin | undefined> {
    this.calls.push(['get', key]);
    return undefined;
  }

  set(key: ClientKey, pin: Pin): void {
    this.calls.push(['set', key, pin]);
  }

  drop(key: ClientKey, model: ModelId): void {
    this.calls.push(['drop', key, model]);
  }
}

class BrokenStore extends StickyStore {
  nowMs(): number {
    return 0;
  }

  async get(): Promise<never> {
    throw new Error('gone');
  }

  async set(): Promise<never> {
    throw new Error('gone');
  }

  async drop(): Promise<never> {
    throw new Error('gone');
  }
}

function choices(...models: readonly ModelId[]): { readonly model: ModelId }[] {
  return models.map((model) => ({ model }));
}
