import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../support/random.ts';
import type { CallPlan, Seen } from './call.ts';
import { completionBody } from './bodies.ts';
import { headersOf, planOf } from './completions.ts';
import { sendRaw } from './send-raw.ts';
import type { Kind, World } from './world.ts';

/** As many of the shortest requests as one read of a connection can hold. */
const FLOOD = 1_900;
/** How many of them the router takes. */
const TAKEN = 64;
/** Longer than the router waits for a client that reads nothing. */
const NOT_READING_MS = 4_000;
const OWN: Pick<CallPlan, 'mode' | 'isStream' | 'steps' | 'errors'> = {
  mode: 'none',
  isStream: false,
  steps: [],
  errors: [],
};

/** Clients that send little and would have the router hold much. */
export const ROUGH: readonly Kind[] = [
  { name: 'pieces of a byte', weight: 1.5, run: piecesOfAByte },
  { name: 'pieces of a byte without an end', weight: 1, run: endlessPieces },
  { name: 'flood', weight: 0.3, run: flood },
  { name: 'flood that nobody reads', weight: 0.3, run: unreadFlood },
];

async function piecesOfAByte(random: Random, world: World): Promise<void> {
  const isStream = random.chance(0.5);
  const body = completionBody(random, world, isStream);
  const call = world.begin('pieces of a byte', planOf(random, world, body, isStream));
  const bytes = Buffer.concat([chunkedHead(random, call.id), inBytes(body.bytes), Buffer.from('0\r\n\r\n')]);
  const [seen] = await sendRaw(world.port, bytes, 1);
  world.end(call, seen as Seen);
}

async function endlessPieces(random: Random, world: World): Promise<void> {
  const errors = ['request_timeout', 'overloaded'];
  const call = world.begin('pieces of a byte without an end', { ...OWN, errors, lines: 'at most 1' });
  const bytes = Buffer.concat([chunkedHead(random, call.id), inBytes(Buffer.alloc(1_000, ' '))]);
  const [seen] = await sendRaw(world.port, bytes, 1, { leavesAfterMs: random.below(2_000) });
  world.end(call, seen as Seen);
}

function chunkedHead(random: Random, id: string): Buffer {
  const lines = Object.entries({
    ...headersOf(random),
    host: 'soak',
    'x-request-id': id,
    'transfer-encoding': 'chunked',
  });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.from(`POST /v1/chat/completions HTTP/1.1\r\n${head}\r\n`);
}

/** Each byte as a chunk. */
function inBytes(bytes: Buffer): Buffer {
  return Buffer.concat([...bytes].map((byte) => Buffer.from([0x31, 0x0d, 0x0a, byte, 0x0d, 0x0a])));
}

async function flood(random: Random, world: World): Promise<void> {
  const [path, status] = random.pick([
    ['/healthz', 200],
    ['/metrics', 200],
    ['/nowhere', 404],
  ] as const);
  const call = world.begin('flood', { ...OWN, errors: ['bad_request'], hasForeignId: true, lines: 0 });
  const seen = await sendRaw(world.port, floodOf(path), TAKEN + 1);
  // All but the last are to be answered; the first that is not shows what went wrong.
  const wrong = seen.findIndex((one, n) => n < TAKEN && one.status !== status);
  world.end(call, seen[wrong === -1 ? TAKEN : wrong] as Seen);
}

async function unreadFlood(random: Random, world: World): Promise<void> {
  const call = world.begin('flood that nobody reads', { ...OWN, hasForeignId: true, lines: 0 });
  const socket = connect({ port: world.port, host: '127.0.0.1' });
  // The router may cut it first.
  socket.on('error', () => {}).pause();
  socket.write(floodOf('/v1/models'));
  await sleep(random.below(NOT_READING_MS));
  socket.resetAndDestroy();
  world.end(call, {
    ending: 'left',
    status: 0,
    headers: {},
    body: Buffer.alloc(0),
    endedAtMs: performance.now(),
  });
}

function floodOf(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: soak\r\n\r\n`.repeat(FLOOD);
}
