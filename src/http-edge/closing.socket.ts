import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ApiError } from '../openai/api-error.js';
import { errorHead, errorText } from './error-head.js';
import { letBodyPass } from './pass-body.socket.js';
import { cutIfStalled } from './stalled-answer.timer.js';

/**
 * How long a client that is still sending may go on after its last answer, and how long it may pause meanwhile, in
 * milliseconds. To close at once would reset the connection, and the answer might be lost with it.
 */
const LINGER_MS = 3_000;
const LINGER_IDLE_MS = 1_000;

const closing = new WeakSet<Socket>();

/** Whether a connection has had, or is getting, its last answer. Whatever else comes on it is dropped. */
export function isClosing(socket: Socket): boolean {
  return closing.has(socket);
}

export function announceClosing(socket: Socket): void {
  closing.add(socket);
}

interface LastAnswer {
  /** Called when the system has taken the answer, or will not. */
  readonly written?: (failure: Error | null | undefined) => void;
  /** Whether the client has sent, and goes on sending, further requests. */
  readonly isFlooded?: boolean;
}

/**
 * Answers a request that has not arrived in full, or is not the last that has come, and closes its connection.
 *
 * @returns the body
 */
export function answerLast(
  response: ServerResponse,
  error: ApiError,
  requestId: string,
  { written = () => {}, isFlooded = false }: LastAnswer = {},
): string {
  const body = errorText(error, response.req.url as string, requestId);
  announceClosing(response.req.socket);
  response.writeHead(error.status, { ...errorHead(error, body, requestId), connection: 'close' });
  response.write(body, written);
  endAfterRequests(response, isFlooded);
  cutIfStalled(response);
  return body;
}

function endAfterRequests(response: ServerResponse, isFlooded: boolean): void {
  const { req: request } = response;
  const timer = setTimeout(end, LINGER_MS);
  response.setTimeout(LINGER_IDLE_MS, end).once('close', end);
  if (!isFlooded) request.once('end', end).once('close', end);
  letBodyPass(request);

  function end(): void {
    clearTimeout(timer);
    response.end();
  }
}

/** Writes the last bytes of a connection whose requests cannot be read any more. */
export function endLingeringly(socket: Socket, bytes: string): void {
  announceClosing(socket);
  socket.end(bytes);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.setTimeout(LINGER_IDLE_MS, () => socket.destroy()).once('close', () => clearTimeout(timer));
}
