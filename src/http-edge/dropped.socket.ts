import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isClosing } from './closing.socket.js';
import { takeOver } from './take-over.socket.js';

/**
 * A request that came too late. One read of a connection can hold nearly two thousand of them, which Node keeps, each with its
 * response, until the connection ends: so all of a connection's are the same one.
 */
class DroppedRequest extends IncomingMessage {
  /** Of its body nothing is kept. */
  override push(): boolean {
    return true;
  }
}

/** The response to requests that came too late: nobody writes it. */
export class DroppedResponse extends ServerResponse {
  /** It never finishes, and Node would add a listener for each request. */
  override on(): this {
    return this;
  }
}

const requests = new WeakMap<Socket, DroppedRequest>();
const responses = new WeakMap<Socket, DroppedResponse>();

/** What Node makes for each request that its parser finds; for one behind the last that is answered, next to nothing. */
export class Request extends IncomingMessage {
  constructor(socket: Socket) {
    if (isClosing(socket)) return droppedRequestOf(socket);
    super(socket);
  }
}

/** What Node makes with each request. */
export class Response<R extends IncomingMessage = IncomingMessage> extends ServerResponse<R> {
  constructor(request: R, options?: object) {
    if (request instanceof DroppedRequest) return droppedResponseOf(request) as ServerResponse as Response<R>;
    // Node gives its own options, which the types of the base class do not have.
    super(...([request, options] as unknown as [R]));
  }
}

function droppedRequestOf(socket: Socket): DroppedRequest {
  let request = requests.get(socket);
  if (!request) {
    request = new DroppedRequest(socket);
    requests.set(socket, request);
    process.nextTick(discardRest, socket);
  }
  return request;
}

function droppedResponseOf(request: DroppedRequest): DroppedResponse {
  let response = responses.get(request.socket);
  if (!response) {
    response = new DroppedResponse(request);
    responses.set(request.socket, response);
  }
  return response;
}

/** Reads on, so that the client's leaving is noticed and it is not reset under its last answer, but past the parser. */
function discardRest(socket: Socket): void {
  takeOver(socket, () => {});
  // In case Node has stopped reading: what comes takes no memory any more.
  socket.resume();
}
