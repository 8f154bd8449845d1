import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from '../config/config.js';
import { announceClosing, answerLast, endLingeringly, isClosing } from './closing.socket.js';
import { DroppedResponse, Request, Response } from './dropped.socket.js';
import { parserError, requestProblem } from './framing.js';
import { Pipelines } from './pipelines.socket.js';
import { expectHttp, protocolProblem } from './protocol.socket.js';
import { rawError } from './raw-error.js';
import { StallLimit } from './stalled-answer.timer.js';
import { requestIdOf } from '../request/request-id.js';

/** Node's HTTP server with the framing it is too lenient about refused, and every refusal in the contract's shape. */
export function createHttpServer(handle: RequestListener, { requests }: Config): Server {
  const pipelines = new Pipelines();
  const stallLimit = new StallLimit(requests.stallTimeoutMs);
  const accept: RequestListener = (request, response) => {
    if (response instanceof DroppedResponse) return;
    // One whose response has no connection waits for another that is being answered.
    const surplus = response.socket ? undefined : pipelines.join(request, response);
    const problem =
      surplus ?? protocolProblem(request) ?? requestProblem(request.httpVersion, request.rawHeaders);
    if (problem) {
      answerLast(response, problem, requestIdOf(request), { isFlooded: surplus !== undefined });
      return;
    }
    if (request.headers.upgrade !== undefined) {
      // Node's parser stops behind such a request, and what has come with it is lost.
      response.setHeader('connection', 'close');
    }
    handle(request, response);
  };
  const server = createServer(
    {
      IncomingMessage: Request,
      ServerResponse: Response,
      headersTimeout: requests.headersTimeoutMs,
      // Whoever reads a body has a timer for it that fires earlier; this one is for bodies that nobody reads.
      requestTimeout: requests.headersTimeoutMs + requests.bodyTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, Math.ceil(requests.headersTimeoutMs / 4)),
      keepAliveTimeout: 72_000,
      // Node would answer by itself, with an empty body.
      requireHostHeader: false,
      noDelay: true,
    },
    accept,
  );
  server.on('connection', (socket) => {
    stallLimit.applyTo(socket);
    expectHttp(socket);
  });
  server.maxConnections = requests.maxConnections;
  // Past a limit Node would drop headers silently; their total size is limited anyway.
  server.maxHeadersCount = 0;
  // Else Node would ask for the body of a request that is refused by its headers, and refuse others by itself.
  server.on('checkContinue', accept).on('checkExpectation', accept);
  return server;
}

/** llhttp's word for a connection that ended in the middle of a message. */
const ENDED_EARLY = 'HPE_INVALID_EOF_STATE';

type HttpSocket = Socket & {
  /** The first of the responses that are not finished. */
  readonly _httpMessage?: ServerResponse | null;
};

/**
 * For what Node's parser rejects. Logs nothing: the error carries the request's bytes, its token included.
 *
 * The parser says so again for whatever comes afterwards.
 */
export function onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!isClosing(socket)) {
    announceClosing(socket);
    answerParserError(error, socket);
  } else if (error.code === ENDED_EARLY) {
    socket.destroySoon();
  }
}

function answerParserError(error: NodeJS.ErrnoException, socket: HttpSocket): void {
  const { _httpMessage: response } = socket;
  const hasLeft = error.code === ENDED_EARLY;
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
  } else if (!response || response instanceof DroppedResponse) {
    endLingeringly(socket, rawError(parserError(error.code), randomUUID()));
  } else if (isReading(response)) {
    const { req: request } = response;
    if (hasLeft) socket.end(rawError(parserError(error.code), requestIdOf(request), request.url));
    else request.emit('error', parserError(error.code));
  } else if (hasLeft) {
    socket.destroySoon();
  } else {
    // The requests before the broken one are sound.
    response.once('close', () => answerParserError(error, socket));
  }
}

/** Whether somebody is still reading the request's body. Whoever does listens for errors, and answers them. */
function isReading({ req: request, headersSent }: ServerResponse): boolean {
  return !request.complete && !headersSent && request.listenerCount('error') > 0;
}
