/** Values that nobody but the client and the upstream may ever see. */
export const CANARY = {
  address: '203.0.113.77',
  apiKey: 'sk-canary-key',
  cookie: 'canary-cookie',
  header: 'canary-header',
  model: 'canary/model',
  prompt: 'canary-prompt',
  query: 'canary-query',
  session: 'canary-session',
  token: 'cpk_canary_token',
  userAgent: 'canary-agent',
} as const;

/** A header for each of them that has one. */
export const CANARY_HEADERS = {
  authorization: `Bearer ${CANARY.token}`,
  cookie: `session=${CANARY.cookie}`,
  forwarded: `for=${CANARY.address}`,
  'user-agent': CANARY.userAgent,
  'x-api-key': CANARY.apiKey,
  'x-canary': CANARY.header,
  'x-forwarded-for': CANARY.address,
  'x-session-id': CANARY.session,
} as const;

/** The same as they go over the wire. */
export const CANARY_LINES: readonly string[] = [
  'Host: router.test',
  ...Object.entries(CANARY_HEADERS).map(([name, value]) => `${name}: ${value}`),
];

/** A request with all of them, as it goes over the wire. */
export function canaryRequest(
  model: string,
  stream: boolean,
  { path = '/v1/chat/completions', lines = CANARY_LINES } = {},
): string {
  const body = JSON.stringify({ model, stream, messages: [{ role: 'user', content: CANARY.prompt }] });
  return [
    `POST ${path}?q=${CANARY.query} HTTP/1.1`,
    ...lines,
    'Connection: close',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

/** The names of the canaries that a text holds. */
export function canariesIn(text: string): string[] {
  return Object.entries(CANARY)
    .filter(([, value]) => text.includes(value))
    .map(([name]) => name);
}
