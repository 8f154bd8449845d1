import { connect } from 'node:net';
import type { Random } from '../support/random.ts';
import { type RawResponse, readResponse } from '../support/raw-response.ts';

/** Longer than the router takes to give up on a request that does not go on. */
const QUIET_MS = 1_100;
const HUNG_MS = 8_000;

/** How the client behaves when it has sent all. */
type Manner = 'waits' | 'finishes' | 'resets';

/** All that came back over one connection. */
export interface Conversation {
  readonly answers: readonly RawResponse[];
  /** Bytes that are no complete answer. */
  readonly rest: Buffer;
  /** `open`: it was quiet, and the client ended it. */
  readonly end: 'closed' | 'open' | 'hung';
  readonly manner: Manner;
}

/** Sends these bytes over a connection of their own, in random pieces, and reads until it is over or all is quiet. */
export async function converse(port: number, bytes: Buffer, random: Random): Promise<Conversation> {
  const manner = random.weighed([
    { weight: 14, name: 'waits' as const },
    { weight: 4, name: 'finishes' as const },
    { weight: 1, name: 'resets' as const },
  ]).name;
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  const over = Promise.withResolvers<Conversation['end']>();
  const hung = setTimeout(() => over.resolve('hung'), HUNG_MS);
  const received: Buffer[] = [];
  let quiet: NodeJS.Timeout | undefined;
  const isQuiet = () => {
    if (received.length > 0) over.resolve('open');
  };
  const restartQuiet = () => {
    clearTimeout(quiet);
    quiet = setTimeout(isQuiet, QUIET_MS);
  };

  // What is sent to a connection that is gone fails; its end says so.
  socket.on('error', () => {});
  socket.on('end', () => over.resolve('closed'));
  socket.on('close', () => over.resolve('closed'));
  socket.on('data', (piece: Buffer) => {
    received.push(piece);
    restartQuiet();
  });
  const connected = new Promise((resolve) => socket.once('connect', resolve));
  await Promise.race([connected, over.promise]);
  for (const piece of inPieces(random, bytes)) {
    socket.write(piece);
    if (random.chance(0.3)) await new Promise((resolve) => setImmediate(resolve));
  }
  restartQuiet();
  if (manner === 'finishes') socket.end();
  if (manner === 'resets') setTimeout(() => socket.resetAndDestroy(), random.below(30));

  const end = await over.promise;
  clearTimeout(hung);
  clearTimeout(quiet);
  socket.destroy();
  return { ...answersIn(Buffer.concat(received), end === 'closed'), end, manner };
}

function inPieces(random: Random, bytes: Buffer): Buffer[] {
  if (random.chance(0.6)) return [bytes];
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = random.between(1, Math.max(1, bytes.length >> random.below(5)));
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

function answersIn(bytes: Buffer, isClosed: boolean): Pick<Conversation, 'answers' | 'rest'> {
  const answers: RawResponse[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const answer = readResponse(rest, isClosed ? 'fin' : undefined, false);
    if (!answer.isComplete || answer.length === 0) break;
    answers.push(answer);
    rest = rest.subarray(answer.length);
  }
  return { answers, rest };
}
