import type { RequestRecord } from '../request/request-record.js';
import { letBodyPass } from './pass-body.socket.js';
import { cutIfStalled } from './stalled-answer.timer.js';

/** Answers with a document of the router's own a request that nobody has begun to answer. */
export function sendDocument(record: RequestRecord, document: object): string {
  const { id, request, response } = record;
  const body = JSON.stringify(document);
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-request-id': id,
  });
  letBodyPass(request);
  response.end(body);
  cutIfStalled(response, record);
  return body;
}
