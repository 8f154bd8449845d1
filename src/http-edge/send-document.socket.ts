import type { RequestRecord } from '../request/request-record.js';
import { letBodyPass } from './send-error.socket.js';

/** Answers with a document of the router's own a request that nobody has begun to answer. */
export function sendDocument({ id, request, response }: RequestRecord, document: object): string {
  const body = JSON.stringify(document);
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-request-id': id,
  });
  letBodyPass(request);
  response.end(body);
  return body;
}
