import type { IncomingMessage } from 'node:http';
import { isRequestId } from './request-record.js';
import { uuids } from './uuids.js';

const nextUuid = uuids();

const REQUEST_ID = Symbol('request id');

/** The client's own id where it may stand for the request, else a new UUID; the same one each time it is asked for. */
export function requestIdOf(request: IncomingMessage & { [REQUEST_ID]?: string }): string {
  const sent = request.headers['x-request-id'];
  return (request[REQUEST_ID] ??= isRequestId(sent) ? sent : nextUuid());
}
