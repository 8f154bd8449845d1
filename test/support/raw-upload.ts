import { RawClient } from './raw-client.js';
import type { RawResponse } from './raw-response.js';
import type { TestRouter } from './router.js';

/** What comes back for exactly these bytes, be the request complete or not. */
export async function answerTo(
  { port }: TestRouter,
  pieces: readonly (string | Buffer)[],
): Promise<RawResponse> {
  const client = await RawClient.open(port);
  for (const piece of pieces) await client.send(piece);
  const response = await client.response();
  client.close();
  return response;
}

/** The head of a chat completion request. @param framing a header line. */
export function postHead(framing: string): string {
  return `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n${framing}\r\n\r\n`;
}

/** The chunks of these sizes that a body is sent in. */
export function chunksOf(body: Buffer, sizes: readonly number[]): Buffer[] {
  let at = 0;
  return sizes.map((size) => {
    const chunk = body.subarray(at, at + size);
    at += size;
    return Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]);
  });
}
