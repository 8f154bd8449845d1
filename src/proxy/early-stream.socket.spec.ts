import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, test } from '@jest/globals';
import { ApiError } from '../openai/api-error.js';
import { RequestRecord } from '../request/request-record.js';
import { EarlyStream } from './early-stream.socket.js';

/** As much of a response as a stream needs. */
class FakeResponse {
  readonly written: string[] = [];
  readonly socket = { _handle: null };
  readonly req = { socket: {} };
  headersSent = false;
  writableEnded = false;
  writableLength = 0;

  writeHead(status: number, headers: object): void {
    this.headersSent = true;
    this.written.push(`${status} ${JSON.stringify(headers)}`);
  }

  write(bytes: string): void {
    this.written.push(bytes);
  }

  end(bytes: string): void {
    this.writableEnded = true;
    this.written.push(bytes);
  }
}

function begin() {
  const response = new FakeResponse();
  const raw = response as unknown as ServerResponse;
  return { response, record: new RequestRecord({} as IncomingMessage, raw, 'id', undefined, 0, true) };
}

const HEAD = '200 {"content-type":"text/event-stream","x-request-id":"id"}';

test('ATT-76: a client that has not taken the last comment gets no other', () => {
  const { response, record } = begin();
  const stream = new EarlyStream(record, 'openai');
  stream.keepAlive();
  response.writableLength = 11;
  stream.keepAlive();
  response.writableLength = 0;
  stream.keepAlive();
  expect(response.written).toEqual([HEAD, ': waiting\n\n', ': waiting\n\n']);
  expect(record.bytesOut).toBe(22);
});

test('ATT-72, ATT-75: clients of Anthropic’s get pings, and errors of their kind', () => {
  const { response, record } = begin();
  const stream = new EarlyStream(record, 'messages');
  stream.keepAlive();
  stream.fail(ApiError.upstream('upstream_reset'));
  expect(response.written.slice(0, 2)).toEqual([HEAD, 'event: ping\ndata: {"type":"ping"}\n\n']);
  expect(response.written[2]).toMatch(
    /^event: error\ndata: \{"type":"error","error":\{.*"type":"api_error".*\}\}\n\n$/,
  );
  expect(record.isInterrupted).toBe(true);
});

test('ATT-75: it ends once', () => {
  const { response, record } = begin();
  const stream = new EarlyStream(record, 'openai');
  stream.keepAlive();
  stream.fail(ApiError.interrupted('shutting_down'));
  stream.refuse(429, Buffer.from('{"detail":"no_targets"}'));
  expect(response.written).toHaveLength(3);
  expect(response.written[2]).toContain('"code":"shutting_down"');
});
