import { describe, expect, test } from '@jest/globals';
import { ServedPaths } from './served-paths.js';

const ALL = new ServedPaths();
const notServed = (url: string) => ALL.notServed(url);

test.each([
  ['/v1/chat/completions', 'POST'],
  ['/v1/completions', 'POST'],
  ['/v1/responses', 'POST'],
  ['/v1/messages?beta=true', 'POST'],
  ['/v1/messages/count_tokens', 'POST'],
  ['/v1/mess%61ges?beta=true', 'POST'],
  ['/v1/models', 'GET, HEAD'],
  ['/v1/models/zai-org/GLM-5-TEE', 'GET, HEAD'],
  ['/v1/models/zai-org%2FGLM-5-TEE', 'GET, HEAD'],
  ['/chutes/zai-org%2FGLM-5-TEE/evidence', 'GET, HEAD'],
  ['/healthz', 'GET, HEAD'],
  ['/readyz', 'GET, HEAD'],
  ['/metrics', 'GET, HEAD'],
  ['/metrics?name=/v1/completions', 'GET, HEAD'],
])('RTE-14: %s is served with %s only', (url, allow) => {
  expect(notServed(url)).toMatchObject({ code: 'method_not_allowed', status: 405, headers: { allow } });
});

test.each([
  '/',
  '/v1',
  '/v1/',
  '/healthz/',
  '/v1/completions/',
  '/v1/chat',
  '/v2/models',
  '/chutes/zai-org/GLM-5-TEE/evidence',
  '/chutes//evidence',
  '/chutes/utilization',
  '/?path=/v1/models',
  '*',
])('RTE-12: nothing is served at %s', (url) => {
  expect(notServed(url)).toMatchObject({ code: 'not_found', status: 404, headers: {} });
});

test.each([
  '/v1/embeddings',
  '/v1/responses/resp_1',
  '/v1/messages/batches',
  '/v1/threads/thread_1/messages',
  '/v1/images/generations',
  '/v1/audio/transcriptions?x=1',
  '/v1/files/file-1/content',
])('RTE-13: the message for %s says what is served', (url) => {
  const { code, message } = notServed(url);
  expect(code).toBe('not_found');
  expect(message).toContain(
    'POST /v1/chat/completions, POST /v1/completions, POST /v1/responses, POST /v1/messages, ' +
      'POST /v1/messages/count_tokens, GET /v1/models and GET /v1/models/{id}.',
  );
});

test.each([
  ['/chat/completions', '/v1/chat/completions'],
  ['/chat/completions?x=1', '/v1/chat/completions'],
  ['/completions', '/v1/completions'],
  ['/models', '/v1/models'],
  ['/models/zai-org/GLM-5-TEE', '/v1/models/{id}'],
  ['/models/zai-org%2FGLM-5-TEE', '/v1/models/{id}'],
  ['/openai/v1/chat/completions', '/v1/chat/completions'],
  ['/api/v1/chat/completions', '/v1/chat/completions'],
  ['/v1/v1/chat/completions', '/v1/chat/completions'],
  ['/v1/v1/models', '/v1/models'],
  ['/v1beta/openai/chat/completions', '/v1/chat/completions'],
  ['/openai/deployments/gpt-4o/chat/completions?api-version=1', '/v1/chat/completions'],
  ['//v1/chat/completions', '/v1/chat/completions'],
  ['/v1//chat/completions', '/v1/chat/completions'],
  ['/v1/chat//completions', '/v1/chat/completions'],
  ['/v1/chat/completions/', '/v1/chat/completions'],
  ['/v1/completions/', '/v1/completions'],
  ['/responses', '/v1/responses'],
  ['/v1/v1/responses?x=1', '/v1/responses'],
  ['/v1/responses/', '/v1/responses'],
  ['/messages', '/v1/messages'],
  ['/anthropic/messages/count_tokens?beta=true', '/v1/messages/count_tokens'],
  ['/V1/Chat/Completions', '/v1/chat/completions'],
  ['/V1/Models', '/v1/models'],
  ['//v1//models///', '/v1/models'],
  ['http://router/chat/completions', '/v1/chat/completions'],
])('RTE-24: at %s the message says what was meant, and how the base URL ends', (url, meant) => {
  const { code, message } = notServed(url);
  expect(code).toBe('not_found');
  expect(message).toContain(`Did you mean ${meant}?`);
  expect(message).toContain('followed by /v1 and nothing else');
});

test.each([
  ['/v1/v1/messages?beta=true', '/v1/messages'],
  ['/anthropic/v1/messages', '/v1/messages'],
  ['//v1/messages', '/v1/messages'],
  ['/v1/messages/', '/v1/messages'],
  ['/V1/Messages', '/v1/messages'],
  ['/v1%2Fmessages', '/v1/messages'],
  ['/v1/v1/messages/count_tokens?beta=true', '/v1/messages/count_tokens'],
])('DOR-7: at %s the message says that the base URL of a client of Anthropic’s has no /v1', (url, meant) => {
  const { code, message } = notServed(url);
  expect(code).toBe('not_found');
  expect(message).toContain(`Did you mean ${meant}?`);
  expect(message).toMatch(/of Anthropic's is the address of this router and nothing else, as in \S+:8080\.$/);
});

describe('a door that is turned off', () => {
  const some = new ServedPaths(['/v1/chat/completions', '/v1/completions', '/v1/responses']);

  test.each([
    '/v1/messages',
    '/v1/messages?beta=true',
    '/v1/mess%61ges',
    '/v1/messages/count_tokens',
    '/messages',
    '/v1/v1/messages',
    '//v1/messages',
    '/',
    '/v1/embeddings',
  ])('DOR-4: is not served, meant or named at %s', (url) => {
    const { code, message } = some.notServed(url);
    expect(code).toBe('not_found');
    expect(some.methodsAt(url)).toBeUndefined();
    expect(message).not.toMatch(/messages|anthropic/i);
  });

  test('DOR-4: leaves the others open', () => {
    expect(some.methodsAt('/v1/responses')).toEqual(['POST']);
    expect(some.notServed('/responses').message).toContain('Did you mean /v1/responses?');
    expect(some.notServed('/v1/embeddings').message).toContain('POST /v1/responses, GET /v1/models');
  });
});

test.each(['/', '', '//', '/?x=/v1/models', '/v1', '/v1/', '/V1//'])(
  'RTE-24, RTE-13: at %j the message says how the base URL ends, and what is served below it',
  (url) => {
    const { code, message } = notServed(url);
    expect(code).toBe('not_found');
    expect(message).toContain('followed by /v1 and nothing else');
    expect(message).toContain('POST /v1/chat/completions');
  },
);

test.each(['/healthz/', '/v2', '/models.json', '/mymodels', '/chutes//evidence', '*'])(
  'RTE-24: %s is nothing that a client makes of a base URL',
  (url) => {
    expect(notServed(url).message).toBe('There is nothing at this path.');
  },
);

test('RTE-24: the message repeats nothing of the path, however long', () => {
  const { message } = notServed(`/sesam${'/sesam'.repeat(2_000)}/models/sesam`);
  expect(message).not.toContain('sesam');
});
