/** A complete response of the upstream. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export const JSON_HEADERS = { 'content-type': 'application/json' };
export const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
};
export const DONE_EVENT = 'data: [DONE]\n\n';

/** An event as OpenAI's Responses API and Anthropic's Messages API send them. */
export function namedEvent(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A reply in the shape of Chutes' API: `{"detail": …}`, which is not OpenAI's. */
export function detailReply(status: number, detail: unknown): Reply {
  return { status, headers: JSON_HEADERS, body: JSON.stringify({ detail }) };
}

/** The page of the proxy in front of Chutes, which speaks no JSON. */
export function nginxReply(status: number, reason: string): Reply {
  const title = `${status} ${reason}`;
  const body = [
    '<html>',
    `<head><title>${title}</title></head>`,
    '<body>',
    `<center><h1>${title}</h1></center>`,
    '<hr><center>nginx</center>',
    '</body>',
    '</html>',
    '',
  ].join('\r\n');
  return { status, headers: { 'content-type': 'text/html', server: 'nginx' }, body };
}

export const REPLIES = {
  notFound: detailReply(404, 'Not Found'),
  badJson: detailReply(400, 'Invalid request body: not valid JSON.'),
  badContent: detailReply(400, 'Invalid request body: "model" must be a string.'),
  tooLarge: detailReply(413, 'Request body too large.'),
  unauthorized: detailReply(401, 'Invalid token.'),
  paymentRequired: detailReply(402, 'Quota exceeded and account balance is $0.0, please add a balance.'),
  unauthenticated: nginxReply(429, 'Too Many Requests'),
  atCapacity: detailReply(429, 'Infrastructure is at maximum capacity, try again later'),
  internalError: detailReply(500, 'Internal server error.'),
  badGateway: nginxReply(502, 'Bad Gateway'),
  unavailable: detailReply(503, 'Service unavailable, try again later.'),
  gatewayTimeout: nginxReply(504, 'Gateway Time-out'),
} as const satisfies Readonly<Record<string, Reply>>;

export function modelNotFound(model: string): Reply {
  return detailReply(404, `model not found: ${model}`);
}

export function noInstances(chuteId = ''): Reply {
  return detailReply(503, `No instances available (yet) for chute_id=${chuteId}`);
}

/** For `X-TEE-Only: true` on a model that does not run in a trusted execution environment. */
export function teeRequired(): Reply {
  return detailReply(426, 'This chute does not have TEE enabled.');
}
