import type { Random } from '../support/random.ts';
import type { CallPlan, Seen } from './call.ts';
import { completionBody } from './bodies.ts';
import { deliver, headersOf, planOf, troubles } from './completions.ts';
import { sendRaw } from './send-raw.ts';
import { ALIAS, type Kind, MAX_REQUEST_BYTES, type World } from './world.ts';

const CHAT = '/v1/chat/completions';
/** Longer than the router waits for a client that reads nothing. */
const NOT_READING_MS = 4_000;
/** The evidence route has no failover and takes an answer as it comes. */
const EVIDENCE_TROUBLES = new Set([
  'normal',
  'unavailable',
  'rate-limited',
  'internal-error',
  'silent',
  'reset',
  'close',
  'a short body',
  'a bad chunk',
  'not HTTP',
  'to the end of the connection',
]);
const OWN: Pick<CallPlan, 'mode' | 'isStream' | 'steps' | 'errors'> = {
  mode: 'none',
  isStream: false,
  steps: [],
  errors: [],
};

/** All requests that are no plain completion. */
export const OTHERS: readonly Kind[] = [
  { name: 'pipelined', weight: 2, run: pipelined },
  { name: 'HTTP/1.0', weight: 1.5, run: oldHttp },
  { name: 'slow reader', weight: 1.5, run: slowReader },
  { name: 'torrent', weight: 0.12, run: (random, world) => torrent('torrent', random, world) },
  {
    name: 'torrent that nobody reads',
    weight: 0.15,
    run: (random, world) => torrent('torrent that nobody reads', random, world, NOT_READING_MS),
  },
  { name: 'refused', weight: 5, run: refused },
  { name: 'too large', weight: 0.5, run: tooLarge },
  { name: 'broken framing', weight: 1, run: brokenFraming },
  { name: 'half a request', weight: 0.5, run: halfARequest },
  { name: 'evidence', weight: 2.5, run: evidence },
  { name: 'read-only route', weight: 4, run: readOnly },
];

async function pipelined(random: Random, world: World): Promise<void> {
  const leavesAfterMs = random.chance(0.25) ? random.below(300) : undefined;
  const calls = Array.from({ length: random.between(2, 5) }, () => {
    const isStream = random.chance(0.5);
    const body = completionBody(random, world, isStream);
    // When one answer is cut, those behind it are, too.
    const call = world.begin('pipelined', {
      ...planOf(random, world, body, isStream),
      mayBeUnanswered: true,
      ...(leavesAfterMs === undefined ? {} : { lines: 'at most 1' }),
    });
    return { call, bytes: rawPost(random, call.id, body.bytes) };
  });
  const bytes = Buffer.concat(calls.map((one) => one.bytes));
  const seen = await sendRaw(world.port, bytes, calls.length, { leavesAfterMs });
  for (const [n, { call }] of calls.entries()) world.end(call, seen[n] as Seen);
}

async function oldHttp(random: Random, world: World): Promise<void> {
  const isStream = random.chance(0.5);
  const body = completionBody(random, world, isStream);
  const call = world.begin('HTTP/1.0', planOf(random, world, body, isStream));
  const [seen] = await sendRaw(world.port, rawPost(random, call.id, body.bytes, '1.0'), 1);
  world.end(call, seen as Seen);
}

async function slowReader(random: Random, world: World): Promise<void> {
  const body = completionBody(random, world, true);
  const call = world.begin('slow reader', planOf(random, world, body, true));
  const bytes = rawPost(random, call.id, body.bytes);
  const reading = { firstMs: random.below(400), thenMs: random.between(1, 50) };
  const [seen] = await sendRaw(world.port, bytes, 1, reading);
  world.end(call, seen as Seen);
}

/** An answer that is too big for the buffers on its way. @param firstMs how long it is not read */
async function torrent(kind: string, random: Random, world: World, firstMs = 0): Promise<void> {
  const body = completionBody(random, world, true, 10);
  const steps = Array.from({ length: 8 }, () => world.torrent);
  const isSlowReader = firstMs > 0;
  const call = world.begin(kind, { ...planOf(random, world, body, true), steps, isSlowReader });
  // The reset that cuts an HTTP/1.0 client overtakes what that has not read yet, the error event too.
  const version = isSlowReader && random.chance(0.3) ? '1.0' : '1.1';
  const bytes = rawPost(random, call.id, body.bytes, version);
  const [seen] = await sendRaw(world.port, bytes, 1, { firstMs });
  world.end(call, seen as Seen);
}

function rawPost(random: Random, id: string, body: Buffer, version = '1.1'): Buffer {
  const lines = Object.entries({ ...headersOf(random), host: 'soak', 'x-request-id': id });
  const head = [
    `POST ${CHAT} HTTP/${version}`,
    ...lines.map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${body.length}`,
    '',
    '',
  ];
  return Buffer.concat([Buffer.from(head.join('\r\n')), body]);
}

/** Bodies, headers and paths that are refused, each with its error. */
const REFUSALS = [
  { body: '', error: 'invalid_json' },
  { body: '{"model":"x"', error: 'invalid_json' },
  { body: `{"model":"x","a":${'['.repeat(1_000)}${']'.repeat(1_000)}}`, error: 'invalid_json' },
  { body: '["model"]', error: 'invalid_body' },
  { body: '{"messages":[]}', error: 'missing_model' },
  { body: '{"model":7}', error: 'missing_model' },
  { body: '{"model":"a","\\u006dodel":"b"}', error: 'duplicate_model' },
  { body: '{"model":"\\ud800"}', error: 'invalid_model' },
  { body: `{"model":"${'x'.repeat(257)}"}`, error: 'invalid_model' },
  { body: '{"model":",,"}', error: 'invalid_model_list' },
  { body: '{"model":"a,b,c,d,e,f,g,h,i"}', error: 'invalid_model_list' },
  { body: '{"model":"nobody/knows-this"}', error: 'unknown_model' },
  { body: `{"model":"${ALIAS},nobody/knows-this"}`, error: 'unknown_model' },
  { body: '{"model":"x"}', headers: { 'content-encoding': 'gzip' }, error: 'unsupported_encoding' },
  { path: '/v1/embeddings', body: '{"model":"x"}', error: 'not_found', lines: 0 },
  { path: '/v1/models', body: '{}', error: 'method_not_allowed', lines: 0 },
  { method: 'GET', body: '', error: 'method_not_allowed', lines: 0 },
] as const;

async function refused(random: Random, world: World): Promise<void> {
  const refusal = { path: CHAT, method: 'POST', headers: {}, lines: 1 as const, ...random.pick(REFUSALS) };
  const plan: CallPlan = { ...OWN, errors: [refusal.error, 'overloaded'], lines: refusal.lines };
  await deliver('refused', world, plan, {
    method: refusal.method,
    path: refusal.path,
    headers: { ...headersOf(random), ...refusal.headers },
    pieces: refusal.body === '' ? [] : [Buffer.from(refusal.body)],
    ...(random.chance(0.7) ? { agent: world.agent } : {}),
  });
}

async function tooLarge(random: Random, world: World): Promise<void> {
  const isChunked = random.chance(0.5);
  const plan: CallPlan = { ...OWN, errors: ['request_too_large', 'overloaded'], lines: 1 };
  await deliver('too large', world, plan, {
    method: 'POST',
    path: CHAT,
    headers: { ...headersOf(random), ...(isChunked ? { 'transfer-encoding': 'chunked' } : {}) },
    pieces: Array.from({ length: 12 }, () => Buffer.alloc(MAX_REQUEST_BYTES / 10, ' ')),
    pauseMs: 1,
  });
}

const BROKEN_HEADS = [
  'POST /v1/chat/completions HTTP/1.1\r\nHost: soak\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}',
  'POST /v1/chat/completions HTTP/1.1\r\nHost: soak\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
  'POST /v1/chat/completions HTTP/1.1\r\nHost: soak\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  'POST /v1/chat/completions HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}',
  'GET /v1/models HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'GET /v1/models HTTP/2.0\r\nHost: a\r\n\r\n',
  'GET /v1/models HTTP/1.1\r\nHost: a b\r\n\r\n',
  'NOT HTTP AT ALL\r\n\r\n',
];

async function brokenFraming(random: Random, world: World): Promise<void> {
  const plan: CallPlan = { ...OWN, errors: ['bad_request'], hasForeignId: true, lines: 0 };
  const call = world.begin('broken framing', plan);
  const [seen] = await sendRaw(world.port, random.pick(BROKEN_HEADS), 1);
  world.end(call, seen as Seen);
}

async function halfARequest(random: Random, world: World): Promise<void> {
  const plan: CallPlan = { ...OWN, errors: ['request_timeout'], hasForeignId: true, lines: 0 };
  const call = world.begin('half a request', plan);
  const head = 'POST /v1/chat/completions HTTP/1.1\r\nHost: soak\r\nContent-Le';
  const [seen] = await sendRaw(world.port, head.slice(0, random.between(20, head.length)), 1);
  world.end(call, seen as Seen);
}

async function evidence(random: Random, world: World): Promise<void> {
  const nonce = 'ab'.repeat(32);
  const what = random.below(10);
  const name = encodeURIComponent(random.pick(what < 7 ? world.confidential : world.open));
  const query = what === 9 ? 'nonce=1' : `nonce=${nonce}`;
  const errors = [
    ...(what >= 7 ? ['not_confidential'] : []),
    ...(what === 9 ? ['invalid_nonce'] : []),
    'overloaded',
  ];
  const steps = world.steps.filter(({ name: step }) => EVIDENCE_TROUBLES.has(step));
  const plan: CallPlan = {
    mode: 'evidence',
    isStream: false,
    steps: troubles(random, steps),
    errors,
    lines: 1,
    ...(what < 7 ? { bodyFor: () => Buffer.alloc(0) } : {}),
  };
  await deliver('evidence', world, plan, {
    method: 'GET',
    path: `/chutes/${name}/evidence?${query}`,
    headers: headersOf(random),
    ...(random.chance(0.7) ? { agent: world.agent } : {}),
  });
}

async function readOnly(random: Random, world: World): Promise<void> {
  const path = random.pick([
    '/v1/models',
    `/v1/models/${random.pick(world.models)}`,
    '/healthz',
    '/readyz',
    '/metrics',
  ]);
  const complaint = (seen: Seen) => {
    if (seen.status !== 200) return `${path} got ${seen.status}`;
    return path === '/metrics' || isJson(seen.body) ? undefined : `${path} got something that is not JSON`;
  };
  await deliver(
    'read-only route',
    world,
    { ...OWN, complaint, lines: 0 },
    {
      method: 'GET',
      path,
      headers: {},
      ...(random.chance(0.7) ? { agent: world.agent } : {}),
    },
  );
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString());
    return true;
  } catch {
    return false;
  }
}
