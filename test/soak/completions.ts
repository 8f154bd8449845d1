import type { Random } from '../support/random.ts';
import type { CallPlan } from './call.ts';
import { BYTES_PER_CHARACTER, type CompletionBody, completionBody, piecesOf } from './bodies.ts';
import { type Leaving, send, type Sending } from './send.ts';
import type { Step } from './step.ts';
import {
  FULL_BODIES,
  type Kind,
  MAX_REQUEST_BYTES,
  REQUEST_BODY_TIMEOUT_MS,
  UPSTREAM_MAX_CONNECTIONS,
  type World,
} from './world.ts';

const CHAT = '/v1/chat/completions';
const TEXT = '/v1/completions';
const FAULTLESS = 0.45;

/** All requests for a completion that are valid HTTP. */
export const COMPLETIONS: readonly Kind[] = [
  { name: 'chat, streamed', weight: 26, run: (random, world) => complete(random, world, CHAT, true) },
  { name: 'chat', weight: 20, run: (random, world) => complete(random, world, CHAT, false) },
  { name: 'text, streamed', weight: 4, run: (random, world) => complete(random, world, TEXT, true) },
  { name: 'text', weight: 4, run: (random, world) => complete(random, world, TEXT, false) },
  {
    name: 'chat with a big body',
    weight: 2,
    run: async (random, world) => {
      const isStream = random.chance(0.5);
      const body = completionBody(random, world, isStream, random.between(50_000, 500_000));
      await deliver('chat with a big body', world, planOf(random, world, body, isStream), {
        ...postOf(random, world, CHAT, isStream),
        pieces: piecesOf(body.bytes, random.between(1, 20)),
      });
    },
  },
  {
    name: 'slow upload',
    weight: 2,
    run: async (random, world) => {
      const body = completionBody(random, world, true);
      const pieces = piecesOf(body.bytes, random.between(2, 10));
      await deliver('slow upload', world, planOf(random, world, body, true), {
        ...postOf(random, world, CHAT, true),
        pieces,
        pauseMs: random.between(1, 40),
      });
    },
  },
  {
    name: 'upload that is too slow',
    weight: 0.5,
    run: async (random, world) => {
      const body = completionBody(random, world, true);
      const plan = { ...planOf(random, world, body, true), errors: ['request_timeout', 'overloaded'] };
      await deliver('upload that is too slow', world, plan, {
        ...postOf(random, world, CHAT, true),
        pieces: piecesOf(body.bytes, 10),
        pauseMs: REQUEST_BODY_TIMEOUT_MS / 5,
      });
    },
  },
  ...(['uploading', 'waiting', 'begun', 'reading'] as const).map((when) => leaver(when)),
];

/**
 * As many requests at once as the router has connections to the upstream, their bodies nearly as large as what it
 * may hold: with nothing else going on, each of them is answered whole.
 */
export async function fullHouse(random: Random, world: World): Promise<void> {
  const slow = world.steps.filter(({ name }) => name === 'slow-headers').slice(0, 1);
  const bodies = Array.from({ length: UPSTREAM_MAX_CONNECTIONS }, (_, n) => {
    const bytes = n < FULL_BODIES ? 0.9 * MAX_REQUEST_BYTES : 100;
    return completionBody(random, world, true, Math.floor(bytes / BYTES_PER_CHARACTER));
  });
  await Promise.all(
    bodies.map((body) =>
      deliver(
        'full house',
        world,
        { ...planOf(random, world, body, true), steps: slow, errors: [] },
        { method: 'POST', path: CHAT, headers: headersOf(random), pieces: [body.bytes] },
      ),
    ),
  );
}

async function complete(random: Random, world: World, path: string, isStream: boolean): Promise<void> {
  const body = completionBody(random, world, isStream);
  const kind = (path === CHAT ? 'chat' : 'text') + (isStream ? ', streamed' : '');
  await deliver(kind, world, planOf(random, world, body, isStream), {
    ...postOf(random, world, path, isStream),
    pieces: [body.bytes],
  });
}

function leaver(when: Leaving['when']): Kind {
  const name = `leaves while ${when === 'begun' ? 'the answer begins' : when}`;
  return {
    name,
    weight: 1.5,
    run: async (random, world) => {
      const isStream = random.chance(0.8);
      const body = completionBody(random, world, isStream);
      const plan = planOf(random, world, body, isStream);
      const { agent: _, ...post } = postOf(random, world, CHAT, isStream);
      const isUploading = when === 'uploading';
      const isEarly = isUploading || when === 'waiting';
      await deliver(name, world, isEarly ? { ...plan, lines: 'at most 1' } : plan, {
        ...post,
        pieces: piecesOf(body.bytes, isUploading ? 6 : 1),
        pauseMs: isUploading ? 15 : 0,
        leaving: { when, afterMs: random.below(when === 'waiting' ? 300 : 40), byReset: random.chance(0.5) },
      });
    },
  };
}

/** What the upstream does with a completion: all well, or some trouble in the first attempts. */
export function planOf(
  random: Random,
  world: World,
  { mode, bodyFor }: CompletionBody,
  isStream: boolean,
): CallPlan {
  return { mode, isStream, bodyFor, steps: troubles(random, world.steps), errors: ['overloaded'], lines: 1 };
}

export function troubles(random: Random, steps: readonly Step[]): Step[] {
  return random.chance(FAULTLESS) ? [] : random.some(steps, random.between(1, 4));
}

/** Who asks: one of a few clients, some with sessions, on kept and on other connections. */
export function headersOf(random: Random): Record<string, string> {
  return {
    authorization: `Bearer token-${random.below(40)}`,
    ...(random.chance(0.3) ? { 'x-session-id': `session-${random.below(10)}` } : {}),
    ...(random.chance(0.8) ? { 'content-type': 'application/json' } : {}),
  };
}

function postOf(random: Random, world: World, path: string, isStream: boolean): Sending {
  return {
    method: 'POST',
    path: random.chance(0.1) ? `${path}?beta=true` : path,
    headers: {
      ...headersOf(random),
      ...(isStream ? { accept: 'text/event-stream' } : {}),
      ...(random.chance(0.2) ? { 'transfer-encoding': 'chunked' } : {}),
    },
    ...(random.chance(0.7) ? { agent: world.agent } : {}),
  };
}

/** Sends one request and hands in what came of it. */
export async function deliver(kind: string, world: World, plan: CallPlan, sending: Sending): Promise<void> {
  const call = world.begin(kind, plan);
  const headers = { ...sending.headers, 'x-request-id': call.id };
  world.end(call, await send(world.port, { ...sending, headers }));
}
