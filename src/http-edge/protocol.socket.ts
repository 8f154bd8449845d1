import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { ApiError } from '../openai/api-error.js';
import { beginsAsHttp } from './framing.js';

/** Of those of RTSP the ones that HTTP does not have, too. Node's parser takes them with that protocol's name alone. */
const RTSP_METHODS: ReadonlySet<string> = new Set([
  'ANNOUNCE',
  'DESCRIBE',
  'FLUSH',
  'GET_PARAMETER',
  'PAUSE',
  'PLAY',
  'RECORD',
  'REDIRECT',
  'SETUP',
  'SET_PARAMETER',
  'TEARDOWN',
]);

type HttpSocket = Socket & {
  /** Node's, which documents neither itself nor what it shows: what has been read and is being parsed. */
  readonly parser?: { getCurrentBuffer?(): Buffer | undefined } | null;
};

const fresh = new WeakSet<Socket>();

/** Has the first request of a connection looked at. */
export function expectHttp(socket: Socket): void {
  fresh.add(socket);
}

/**
 * What is wrong with a request that is none of HTTP. Node's parser also takes `GET / RTSP/1.0` and its like, and tells nobody.
 * Where the methods are those of HTTP only the bytes show it, and to have these costs more than all other checks together: so it
 * is found out once a connection, and if the whole of the first request's headers came in one read, as they mostly do.
 */
export function protocolProblem({ method, socket }: IncomingMessage): ApiError | undefined {
  if (RTSP_METHODS.has(method as string)) return ApiError.badRequest(NOT_HTTP);
  if (!fresh.delete(socket)) return undefined;
  const read = (socket as HttpSocket).parser?.getCurrentBuffer?.();
  if (read === undefined || beginsAsHttp(read, method as string)) return undefined;
  return ApiError.badRequest(NOT_HTTP);
}

const NOT_HTTP = 'The protocol is not HTTP.';
