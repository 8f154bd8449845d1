import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../config/config.js';
import { ApiError } from '../openai/api-error.js';
import { framingProblem, parserError } from './framing.js';
import { rawError } from './raw-error.js';
import { requestIdOf } from './request-id.js';

/** Node's HTTP server with the framing it is too lenient about refused, and every refusal in the contract's shape. */
export function createHttpServer(handle: RequestListener, { requests }: Config): Server {
  const server = createServer(
    {
      headersTimeout: requests.headersTimeoutMs,
      // Bodies have a timer of their own, which starts with them.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(1_000, Math.ceil(requests.headersTimeoutMs / 4)),
      keepAliveTimeout: 72_000,
      // Node would answer by itself, with an empty body.
      requireHostHeader: false,
      noDelay: true,
    },
    (request, response) => {
      const problem = framingProblem(request.httpVersion, request.rawHeaders);
      if (problem) refuse(request, response, problem);
      else handle(request, response);
    },
  );
  server.maxConnections = requests.maxConnections;
  // Past a limit Node would drop headers silently; their total size is limited anyway.
  server.maxHeadersCount = 0;
  server.on('checkExpectation', (request, response) =>
    refuse(request, response, ApiError.expectationFailed()),
  );
  return server;
}

/** llhttp's word for a connection that ended in the middle of a message. */
const ENDED_EARLY = 'HPE_INVALID_EOF_STATE';

/** For what Node's parser rejects. Logs nothing: the error carries the request's bytes, its token included. */
export function onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // As Node does itself: an answer that has begun must not be corrupted.
  const { _httpMessage: inFlight } = socket as Socket & { _httpMessage?: ServerResponse | null };
  if (error.code === 'ECONNRESET' || !socket.writable || inFlight?.headersSent) {
    socket.destroy();
  } else if (inFlight && error.code !== ENDED_EARLY) {
    refuse(inFlight.req, inFlight, parserError(error.code));
  } else {
    // A request that ends in the middle is one whose client left, as far as anyone can tell: its response stays unused.
    const id = inFlight ? requestIdOf(inFlight.req) : randomUUID();
    socket.end(rawError(parserError(error.code), id), () => socket.destroy());
  }
}

function refuse(request: IncomingMessage, response: ServerResponse, error: ApiError): void {
  const body = JSON.stringify(error.toBody());
  response.writeHead(error.status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-request-id': requestIdOf(request),
    connection: 'close',
  });
  response.end(body);
}
