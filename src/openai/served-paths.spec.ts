import { expect, test } from '@jest/globals';
import { notServed } from './served-paths.js';

test.each([
  ['/v1/chat/completions', 'POST'],
  ['/v1/completions', 'POST'],
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
  '/v1/responses',
  '/v1/embeddings',
  '/v1/images/generations',
  '/v1/audio/transcriptions?x=1',
  '/v1/files/file-1/content',
])('RTE-13: the message for %s says what is served', (url) => {
  const { code, message } = notServed(url);
  expect(code).toBe('not_found');
  for (const path of ['/v1/chat/completions', '/v1/completions', '/v1/models', '/v1/models/{id}']) {
    expect(message).toContain(path);
  }
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
