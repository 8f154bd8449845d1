import { connect, type Socket } from 'node:net';
import { type RawResponse, readResponse } from '../support/raw-response.ts';
import type { Seen } from './call.ts';

const HUNG_MS = 20_000;

/** From so many bytes on an answer is looked at only every so often. */
const MANY_BYTES = 262_144;
const LOOK_MS = 50;

/** What is special about a client. */
export interface Manner {
  /** How long it reads nothing when the answer has begun. */
  readonly firstMs?: number;
  /** And again after each piece of it. */
  readonly thenMs?: number;
  /** When it leaves, answered or not. */
  readonly leavesAfterMs?: number | undefined;
}

/** Sends these bytes over a connection of their own. @returns the answers to `count` requests, in order. */
export async function sendRaw(
  port: number,
  bytes: string | Buffer,
  count: number,
  { firstMs = 0, thenMs = 0, leavesAfterMs }: Manner = {},
): Promise<Seen[]> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const over = Promise.withResolvers<void>();
  const answers: RawResponse[] = [];
  const pieces: Buffer[] = [];
  let size = 0;
  let received = Buffer.alloc(0);
  let end: 'fin' | 'reset' | undefined;
  let unanswered: 'none' | 'hung' | 'left' = 'none';
  const giveUp = (as: typeof unanswered) => {
    unanswered = as;
    over.resolve();
  };
  const timers = [setTimeout(giveUp, HUNG_MS, 'hung')];
  if (leavesAfterMs !== undefined) timers.push(setTimeout(giveUp, leavesAfterMs, 'left'));

  let looking: NodeJS.Timeout | undefined;
  const read = () => {
    clearTimeout(looking);
    looking = undefined;
    received = Buffer.concat([received, ...pieces.splice(0)]);
    while (answers.length < count && received.length > 0) {
      const answer = readResponse(received, end, false);
      if (!answer.isComplete) break;
      answers.push(answer);
      received = received.subarray(answer.length);
    }
    size = received.length;
    if (answers.length === count) over.resolve();
  };
  socket.on('data', (piece: Buffer) => {
    hold(socket, size === 0 ? firstMs : thenMs);
    pieces.push(piece);
    size += piece.length;
    if (size < MANY_BYTES) read();
    else looking ??= setTimeout(read, LOOK_MS);
  });
  socket.once('end', () => {
    end ??= 'fin';
    read();
  });
  socket.once('error', () => {
    end ??= 'reset';
  });
  socket.once('close', () => {
    read();
    over.resolve();
  });
  socket.write(bytes);

  await over.promise;
  timers.forEach(clearTimeout);
  socket.destroy();
  const rest = answers.length < count && received.length > 0 ? readResponse(received, end, false) : undefined;
  return Array.from({ length: count }, (_, n) => {
    const answer = answers[n] ?? (n === answers.length ? rest : undefined);
    const hasBegun = answer !== undefined && answer.status > 0;
    const unfinished = unanswered === 'none' && hasBegun ? 'cut' : unanswered;
    return {
      ending: answer?.isComplete === true ? 'complete' : unfinished,
      status: answer?.status ?? 0,
      headers: headersOf(answer),
      body: answer?.body ?? Buffer.alloc(0),
      endedAtMs: performance.now(),
    };
  });
}

function headersOf(answer: RawResponse | undefined): Seen['headers'] {
  const headers: Record<string, string> = {};
  answer?.rawHeaders.forEach((value, n, all) => {
    if (n % 2 === 1) headers[(all[n - 1] ?? '').toLowerCase()] = value;
  });
  return headers;
}

function hold(socket: Socket, ms: number): void {
  if (ms === 0) return;
  socket.pause();
  setTimeout(() => socket.resume(), ms);
}
