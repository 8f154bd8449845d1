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
