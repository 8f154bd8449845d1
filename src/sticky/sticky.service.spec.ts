import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ModelId } from '../catalog/model-list.js';
import { loadConfig } from '../config/config.js';
import { readAsked } from '../reading/asked.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import type { Avoidance } from './avoidance.js';
import { type ClientIdentity, type ClientKey, keyMaterial } from './client-key.js';
import { digestOf } from './keyed-hash.js';
import { MemoryStore } from './memory.store.js';
import type { Pin } from './pin.js';
import type { PinHold } from './pin-hold.js';
import { StickyService } from './sticky.service.js';
import { StickyStore } from './sticky.store.js';

const [A, B, C] = ['a', 'b', 'c'] as ModelId[] as [ModelId, ModelId, ModelId];
const LIST = choices(A, B, C);
const user = (content: unknown) => ({ role: 'user', content });
const SECRET = { STICKY_HASH_SECRET: 'secret of the tests' };

describe('keys', () => {
  const request = requestFrom('203.0.113.1', { authorization: 'Bearer cpk_1' });

  test.each(['STICKY_TTL_SECS', 'STICKY_MAX_ENTRIES'])('STK-7: 0 for %s means no key', (name) => {
    expect(keyIn(serviceWith({ [name]: '0' }), request)).toBeUndefined();
    expect(keyIn(serviceWith({ [name]: '1' }), request)).toBeDefined();
  });

  test('POL-16: clients are spread by token and session, whatever the secret, with stickiness off, too', () => {
    const seeds = [{}, SECRET, { STICKY_TTL_SECS: '0' }].map((env) => seedIn(serviceWith(env), request));
    expect(new Set(seeds).size).toBe(1);
    const headers = { authorization: 'Bearer cpk_1', 'x-session-id': '1' };
    expect(seedIn(serviceWith(), requestFrom('203.0.113.1', headers))).not.toBe(seeds[0]);
  });

  test('POL-16: where conversations have pins of their own, they are spread by themselves, too', () => {
    const service = serviceWith({ STICKY_SCOPE: 'conversation' });
    const [hello, bye] = ['Hello', 'Bye'].map((text) => seedIn(service, request, { messages: [user(text)] }));
    expect(hello).not.toBe(bye);
    expect(hello).not.toBe(seedIn(serviceWith(), request, { messages: [user('Hello')] }));
    expect(seedIn(service, request, { messages: [user('Hello'), user('Again')] })).toBe(hello);
  });

  test('STK-13: without a token the key is made of the address', () => {
    const service = serviceWith();
    const key = keyIn(service, requestFrom('203.0.113.1'));
    expect(keyIn(service, requestFrom('203.0.113.1'))).toBe(key);
    expect(keyIn(service, requestFrom('203.0.113.2'))).not.toBe(key);
  });

  test('STK-14: the session header is the one of the configuration', () => {
    const service = serviceWith({ STICKY_SESSION_HEADER: 'X-Conversation' });
    const keys = [{}, { 'x-session-id': '1' }, { 'x-conversation': '1' }, { 'x-conversation': '2' }].map(
      (headers) => keyIn(service, requestFrom('203.0.113.1', headers)),
    );
    expect(keys.map((key) => keys.indexOf(key))).toEqual([0, 0, 2, 3]);
  });

  test('STK-15: the secret of the configuration makes the same key in every process', () => {
    const [one, other, another] = [SECRET, SECRET, { STICKY_HASH_SECRET: 'another' }].map((env) =>
      keyIn(serviceWith(env), request),
    );
    expect(one).toBe(other);
    expect(one).not.toBe(another);
  });

  test('STK-15: without a secret each start makes keys of its own', () => {
    expect(keyIn(serviceWith(), request)).not.toBe(keyIn(serviceWith(), request));
  });

  test('STK-15: the store is given the key and the pin, nothing of the client', async () => {
    const store = new RecordingStore();
    const service = serviceWith({}, store);
    const headers = { authorization: 'Bearer cpk_the_token', 'x-session-id': 'the-session' };
    const key = keyOf(service, requestFrom('203.0.113.77', headers), 'a-value,b');
    await service.pinFor(key, LIST, false);
    service.answered(key, undefined, { model: A, isSecondChoice: false });
    service.failed(key, A);
    service.full(key, A);
    expect(store.calls).toEqual([
      ['get', key],
      ['set', key, { model: A }],
      ['drop', key, A],
      ['drop', key, A],
      ['avoid', key, { model: A, untilMs: 30_000 }],
    ]);
    expect(JSON.stringify(store.calls)).not.toMatch(/the_token|the-session|203\.0\.113\.77|a-value/);
  });
});

describe('whose pin', () => {
  const client = requestFrom('203.0.113.1', { authorization: 'Bearer cpk_1' });
  const BY_CONVERSATION = { ...SECRET, STICKY_SCOPE: 'conversation' };
  const byConversation = serviceWith(BY_CONVERSATION);
  const SYSTEM = { role: 'system', content: 'You are the assistant of a large company. '.repeat(50) };
  const keyFor = (body: object, request = client) => keyIn(byConversation, request, 'a,b', body);

  const PICTURE = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(9_000)}` } };
  const CONVERSATIONS: readonly object[] = [
    { messages: [SYSTEM, user('One')] },
    { messages: [SYSTEM, user('Two')] },
    { messages: [user('One')] },
    { messages: [SYSTEM, user([{ type: 'text', text: 'What is this?' }, PICTURE])] },
    { messages: [SYSTEM, user([{ type: 'text', text: 'What is that?' }, PICTURE])] },
    { input: 'One' },
    { input: [user('Three')] },
    { prompt: 'Two' },
    { messages: [user('x'.repeat(3_000_000))] },
    { messages: [user(`${'x'.repeat(2_999_999)}y`)] },
  ];

  test('STK-42: each conversation of a token has a key of its own, whatever they share', () => {
    const keys = [{}, ...CONVERSATIONS].map((body) => keyFor(body));
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('STK-42: a conversation that grows keeps its key, another client that says the same has another one', () => {
    const growing = [user('One'), { role: 'assistant', content: 'Yes?' }, user('Go on'), user('One')];
    const keys = growing.map((_, turn) =>
      keyFor({ temperature: turn, messages: [SYSTEM, ...growing.slice(0, turn + 1)], stream: turn > 1 }),
    );
    expect(new Set(keys).size).toBe(1);
    const other = requestFrom('203.0.113.1', { authorization: 'Bearer cpk_2' });
    expect(keyFor({ messages: [SYSTEM, user('One')] }, other)).not.toBe(keys[0]);
  });

  test('STK-42: of equal words each value of the model has a key of its own', () => {
    const body = CONVERSATIONS[0] ?? {};
    expect(keyIn(byConversation, client, 'a', body)).not.toBe(keyIn(byConversation, client, 'b', body));
  });

  test.each<[what: string, body: object]>([
    ['nothing', {}],
    ['no element of the user’s', { messages: [SYSTEM] }],
    ['elements of other kinds', { messages: ['user', null, [user('One')], { role: 'users' }] }],
    ['no list', { messages: { a: user('One') } }],
    ['an empty string', { input: '' }],
    ['a list of prompts', { prompt: ['One'] }],
  ])('STK-43: with %s the scope is the client', (_, body) => {
    expect(keyFor(body)).toBe(keyIn(serviceWith(SECRET), client));
  });

  test('STK-44: by default all conversations of a client have one key', () => {
    const service = serviceWith(SECRET);
    const keys = [{}, ...CONVERSATIONS].map((body) => keyIn(service, client, 'a,b', body));
    expect(new Set(keys).size).toBe(1);
  });

  test.each<[named: string, body: object]>([
    ['prompt_cache_key', { prompt_cache_key: 's' }],
    ['session_id', { session_id: 's' }],
    ['conversation', { conversation: 's' }],
    ['the id of conversation', { conversation: { x: 1, id: 's' } }],
    ['metadata.user_id', { metadata: { user_id: 's' } }],
    ['an escaped string', { raw: '{"model":"a,b","session_id":"\\u0073"}' }],
  ])('STK-45: a session that the body names as %s is the one of the header, in either scope', (_, body) => {
    const named = requestFrom('203.0.113.1', { ...client.headers, 'x-session-id': 's' } as never);
    for (const service of [serviceWith(SECRET), byConversation]) {
      const key = keyIn(service, client, 'a,b', { ...body, messages: [user('One')] });
      expect(key).toBe(keyIn(service, named, 'a,b', { messages: [user('Two')] }));
      expect(key).not.toBe(keyIn(service, client, 'a,b', { messages: [user('One')] }));
      // A header goes before.
      const both = requestFrom('203.0.113.1', { ...client.headers, 'session-id': 't' } as never);
      expect(keyIn(service, both, 'a,b', body)).toBe(keyIn(service, both, 'a,b'));
    }
  });

  test.each<object>([
    { session_id: '' },
    { session_id: 7 },
    { prompt_cache_key: null, conversation: {} },
    { conversation: { id: ['s'] } },
    { metadata: { user_id: { id: 's' } } },
    { metadata: 's' },
  ])('STK-45: %j names no session', (body) => {
    expect(keyIn(serviceWith(SECRET), client, 'a,b', body)).toBe(keyIn(serviceWith(SECRET), client));
  });

  test('STK-45: a session is never taken for the beginning of a conversation, nor that for a session', () => {
    const digest = digestOf([Buffer.from('"One"')]);
    expect(keyFor({ session_id: digest })).not.toBe(keyFor({ input: 'One' }));
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
    expect(await service.pinFor(key, LIST, false)).toEqual({ model: B });
    expect(await service.pinFor(key, choices(A, C), false)).toBeUndefined();
    expect(await service.pinFor(key, LIST, false)).toEqual({ model: B });
  });

  test('STK-3: each value of the model has a pin of its own', async () => {
    const { service, key } = pinnedTo(B);
    const other = keyOf(service, requestFrom('203.0.113.1'), 'a,b');
    expect(await service.pinFor(other, LIST, false)).toBeUndefined();
    service.answered(other, undefined, { model: C, isSecondChoice: false });
    expect(await service.pinFor(key, LIST, false)).toEqual({ model: B });
  });

  test('STK-8: a failure drops the pin on the model that failed', async () => {
    const { service, key } = pinnedTo(B);
    service.failed(key, A);
    expect(await service.pinFor(key, LIST, false)).toEqual({ model: B });
    service.failed(key, B);
    expect(await service.pinFor(key, LIST, false)).toBeUndefined();
  });

  test('STK-19: a second choice stops applying after its time and can be made anew', async () => {
    const { service, key } = pinnedTo(B, { isSecondChoice: true });
    jest.advanceTimersByTime(29_999);
    expect(await service.pinFor(key, LIST, false)).toMatchObject({ model: B });
    jest.advanceTimersByTime(1);
    expect(await service.pinFor(key, LIST, false)).toBeUndefined();
    service.answered(key, undefined, { model: B, isSecondChoice: true });
    jest.advanceTimersByTime(29_999);
    expect(await service.pinFor(key, LIST, false)).toMatchObject({ model: B });
  });

  test('STK-19: the first choice does not stop applying', async () => {
    const { service, key } = pinnedTo(A);
    jest.advanceTimersByTime(1_000_000);
    expect(await service.pinFor(key, LIST, false)).toEqual({ model: A });
  });

  test.each([-3_600_000, 3_600_000])(
    'STK-38: a wall clock that is set by %i ms changes nothing',
    async (ms) => {
      const { service, key } = pinnedTo(B, { isSecondChoice: true });
      jest.setSystemTime(Date.now() + ms);
      jest.advanceTimersByTime(29_999);
      expect(await service.pinFor(key, LIST, false)).toMatchObject({ model: B });
      jest.advanceTimersByTime(1);
      expect(await service.pinFor(key, LIST, false)).toBeUndefined();
    },
  );

  test('STK-20: answers in between do not move the moment', async () => {
    const { service, key } = pinnedTo(B, { isSecondChoice: true });
    for (const ms of [10_000, 10_000, 9_999]) {
      jest.advanceTimersByTime(ms);
      const pin = await service.pinFor(key, LIST, false);
      service.answered(key, pin, { model: B, isSecondChoice: true });
    }
    jest.advanceTimersByTime(1);
    expect(await service.pinFor(key, LIST, false)).toBeUndefined();
  });

  test('STK-46: a tool’s result follows a pin that has failed back, and does not renew it for others', async () => {
    const { service, key } = pinnedTo(B, { isSecondChoice: true });
    jest.advanceTimersByTime(30_000);
    expect(await service.pinFor(key, LIST, false)).toBeUndefined();
    const pin = await service.pinFor(key, LIST, true);
    expect(pin).toMatchObject({ model: B });
    service.answered(key, pin, { model: B, isSecondChoice: true });
    expect(await service.pinFor(key, LIST, false)).toBeUndefined();
    expect(await service.pinFor(key, LIST, true)).toMatchObject({ model: B });
  });

  test('STK-46: a tool’s result follows no pin on a model that is no candidate, or that has failed', async () => {
    const { service, key } = pinnedTo(B);
    expect(await service.pinFor(key, choices(A, C), true)).toBeUndefined();
    service.failed(key, B);
    expect(await service.pinFor(key, LIST, true)).toBeUndefined();
  });

  test('STK-21: with failback off a second choice does not stop applying', async () => {
    const { service, key } = pinnedTo(B, { isSecondChoice: true }, { STICKY_FAILBACK_SECS: '0' });
    jest.advanceTimersByTime(1_000_000);
    expect(await service.pinFor(key, LIST, false)).toEqual({ model: B });
  });
});

test('STK-25, OBS-41: lookups and writes that fail cost no request, and are counted', async () => {
  const metrics = new MetricsService();
  const service = serviceWith({}, new BrokenStore(), metrics);
  const key = keyOf(service, requestFrom('203.0.113.1'), 'a,b');
  expect(await service.pinFor(key, LIST, false)).toBeUndefined();
  service.answered(key, undefined, { model: A, isSecondChoice: false });
  service.failed(key, A);
  service.full(key, A);
  // A rejection that nobody takes would fail the test here.
  await new Promise(setImmediate);
  const text = await metrics.registry.metrics();
  expect(text).toContain('chutes_autopilot_sticky_lookups_total{outcome="error"} 1');
  expect(text).toContain('chutes_autopilot_sticky_write_errors_total 4');
});

describe('models that are full', () => {
  const [one, other] = ['203.0.113.1', '203.0.113.2'].map((ip) => requestFrom(ip)) as [
    IncomingMessage,
    IncomingMessage,
  ];

  test('CDN-8: are avoided by their client alone, and for this value of the model alone', async () => {
    const service = serviceWith();
    service.full(keyOf(service, one, 'a,b'), A);
    expect((await heldBy(service, one, 'a,b'))?.avoided).toEqual([A]);
    expect((await heldBy(service, other, 'a,b'))?.avoided).toEqual([]);
    expect((await heldBy(service, one, 'b,a'))?.avoided).toEqual([]);
  });

  test('CDN-8: for their time', async () => {
    jest.useFakeTimers({ now: 1_000_000 });
    const service = serviceWith();
    service.full(keyOf(service, one, 'a,b'), A);
    jest.advanceTimersByTime(20_000);
    service.full(keyOf(service, one, 'a,b'), B);
    jest.advanceTimersByTime(9_999);
    expect((await heldBy(service, one, 'a,b'))?.avoided).toEqual([A, B]);
    jest.advanceTimersByTime(1);
    expect((await heldBy(service, one, 'a,b'))?.avoided).toEqual([B]);
    jest.useRealTimers();
  });

  test('CDN-8: lose the pin, and one that an answer that was under way sets on them does not apply', async () => {
    const { service, key } = pinnedTo(A);
    service.full(key, A);
    expect(await service.pinFor(key, LIST, false)).toBeUndefined();
    service.answered(key, undefined, { model: A, isSecondChoice: false });
    expect((await heldBy(service, one, 'a,b,c'))?.model).toBeUndefined();
    expect(await service.describe(clientIn(service, one, 'a,b,c', {}), turnOf('a,b,c'), LIST)).toEqual({
      model: A,
      applies: false,
    });
    service.full(key, B);
    service.answered(key, undefined, { model: C, isSecondChoice: false });
    expect((await heldBy(service, one, 'a,b,c'))?.model).toBe(C);
  });

  test('CDN-12: 0 for CAPACITY_AVOID_SECS changes nothing', async () => {
    const { service, key } = pinnedTo(A, {}, { CAPACITY_AVOID_SECS: '0' });
    service.full(key, A);
    expect(await heldBy(service, one, 'a,b,c')).toMatchObject({ model: A, avoided: [] });
  });
});

test('CDN-3: a pin on a model that cools does not apply, and stays', async () => {
  const { service, key } = pinnedTo(B);
  expect(await service.pinFor(key, LIST, false, (model) => model === B)).toBeUndefined();
  expect(await service.pinFor(key, LIST, false, (model) => model === A)).toEqual({ model: B });
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

/** The key of a request with some body; `undefined` while stickiness is off. */
function keyIn(
  service: StickyService,
  request: IncomingMessage,
  value = 'a,b',
  body: object = {},
): ClientKey | undefined {
  return service.keyOf(clientIn(service, request, value, body), value);
}

function seedIn(service: StickyService, request: IncomingMessage, body: object = {}): string {
  return keyMaterial(clientIn(service, request, 'a,b', body));
}

function clientIn(
  service: StickyService,
  request: IncomingMessage,
  value: string,
  body: object,
): ClientIdentity {
  const bytes = Buffer.from('raw' in body ? String(body.raw) : JSON.stringify({ model: value, ...body }));
  const pieces = [bytes.subarray(0, 40), bytes.subarray(40)].filter(({ length }) => length > 0);
  return service.clientOf(request, pieces, readAsked(pieces));
}

function turnOf(model: string): { model: string; isToolResult: boolean } {
  return { model, isToolResult: false };
}

async function heldBy(
  service: StickyService,
  request: IncomingMessage,
  value: string,
): Promise<PinHold | undefined> {
  return service.hold(clientIn(service, request, value, {}), turnOf(value), LIST);
}

function keyOf(service: StickyService, request: IncomingMessage, value: string): ClientKey {
  const key = keyIn(service, request, value);
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

  async avoided(key: ClientKey): Promise<undefined> {
    this.calls.push(['avoided', key]);
  }

  avoid(key: ClientKey, avoidance: Avoidance): void {
    this.calls.push(['avoid', key, avoidance]);
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

  async avoided(): Promise<never> {
    throw new Error('gone');
  }

  async avoid(): Promise<never> {
    throw new Error('gone');
  }
}

function choices(...models: readonly ModelId[]): { readonly model: ModelId }[] {
  return models.map((model) => ({ model }));
}
