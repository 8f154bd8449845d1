export interface ChatRequest {
  readonly model: string;
  readonly stream?: boolean;
  /** Lines without their ends, such as `X-Key: value`. */
  readonly headers?: readonly string[];
  /** Default `/v1/chat/completions`. */
  readonly path?: string;
  readonly httpVersion?: '1.0' | '1.1';
  /** Default a short one. */
  readonly prompt?: string;
}

/** The body of a chat completion request. */
export function chatBody({ model, stream = false, prompt = 'Hello' }: ChatRequest): string {
  return JSON.stringify({ model, stream, messages: [{ role: 'user', content: prompt }] });
}

/** A chat completion request as it goes over the wire. */
export function chatRequest(request: ChatRequest): string {
  const { path = '/v1/chat/completions', httpVersion = '1.1', headers = [] } = request;
  const body = chatBody(request);
  return [
    `POST ${path} HTTP/${httpVersion}`,
    'Host: router.test',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
    '',
    body,
  ].join('\r\n');
}
