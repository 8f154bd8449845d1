import { type Agent, type IncomingMessage, request as open } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientEnding, Seen } from './call.ts';

const HUNG_MS = 20_000;

/** When and how a client leaves before its answer is complete. */
export interface Leaving {
  readonly when: 'uploading' | 'waiting' | 'begun' | 'reading';
  /** From then on. */
  readonly afterMs: number;
  readonly byReset: boolean;
}

export interface Sending {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body, piece by piece. */
  readonly pieces?: readonly Buffer[];
  /** Between two pieces. */
  readonly pauseMs?: number;
  /** The pool of kept connections; without it, the connection is for this request alone. */
  readonly agent?: Agent;
  readonly leaving?: Leaving | undefined;
}

/** Sends a request as a client library does, and says what came of it. */
export async function send(port: number, sending: Sending): Promise<Seen> {
  const { method, path, headers, agent, leaving, pieces = [], pauseMs = 0 } = sending;
  const isChunked = headers['transfer-encoding'] !== undefined;
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const lengthHeader = isChunked || method === 'GET' ? {} : { 'content-length': String(length) };
  const request = open({
    port,
    host: '127.0.0.1',
    method,
    path,
    headers: { ...lengthHeader, ...headers },
    ...(agent ? { agent } : { agent: false }),
  });
  const outcome = Promise.withResolvers<ClientEnding>();
  let response: IncomingMessage | undefined;
  const received: Buffer[] = [];
  const timer = setTimeout(() => outcome.resolve('hung'), HUNG_MS);

  let isOver = false;
  const leaveIf = (when: Leaving['when']) => {
    if (leaving?.when !== when) return;
    setTimeout(() => {
      if (isOver) return;
      outcome.resolve('left');
      if (leaving.byReset) request.socket?.resetAndDestroy();
      request.destroy();
    }, leaving.afterMs);
  };

  // Behind an answer that has begun, its own end says how it ended.
  request.on('error', () => {
    if (!response) outcome.resolve('none');
  });
  request.on('close', () => {
    if (!response) outcome.resolve('none');
  });
  request.on('response', (incoming) => {
    response = incoming;
    incoming.on('error', () => {}).on('close', () => outcome.resolve('cut'));
    incoming.on('data', (bytes: Buffer) => {
      received.push(bytes);
      if (received.length === 1) leaveIf('reading');
    });
    incoming.on('end', () => outcome.resolve(incoming.complete ? 'complete' : 'cut'));
    leaveIf('begun');
  });

  let isUploaded = true;
  for (const [n, piece] of pieces.entries()) {
    // An early answer or end makes the rest pointless.
    if (response || request.destroyed) {
      isUploaded = false;
      break;
    }
    request.write(piece);
    if (n === pieces.length >> 1) leaveIf('uploading');
    if (pauseMs > 0) await sleep(pauseMs);
  }
  if (isUploaded) {
    request.end();
    leaveIf('waiting');
  }

  const ending = await outcome.promise;
  isOver = true;
  clearTimeout(timer);
  if (ending !== 'complete' || !isUploaded) request.destroy();
  return {
    ending,
    status: response?.statusCode ?? 0,
    headers: response?.headers ?? {},
    body: Buffer.concat(received),
    endedAtMs: performance.now(),
  };
}
