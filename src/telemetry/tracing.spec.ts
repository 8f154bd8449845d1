import { describe, expect, test } from '@jest/globals';
import { servedRoute } from './served-route.js';
import { attemptAttributes, attemptName, errorTypeOf, operationOf, serverAttributes } from './tracing.js';

const ATTEMPT = { operation: 'chat', model: 'm', method: 'POST', origin: 'http://a', n: 0 };

describe('what a trace says', () => {
  test.each([
    ['/v1/chat/completions', 'chat'],
    ['/v1/completions', 'text_completion'],
    ['/v1/responses', 'chat'],
    ['/v1/messages', 'chat'],
    ['/v1/messages/count_tokens', undefined],
    ['/chutes/{chute}/evidence', undefined],
  ])('OBS-44: the operation at %s is %s', (route, operation) => {
    expect(operationOf(route)).toBe(operation);
  });

  test.each([
    [200, 'complete', undefined],
    [429, 'complete', undefined],
    [503, 'complete', '503'],
    [200, 'interrupted', 'interrupted'],
    [200, 'client_gone', undefined],
    [499, 'client_gone', undefined],
  ] as const)('OBS-46: the error of %i, %s, is %s', (status, ending, error) => {
    expect(errorTypeOf({ status, ending })).toBe(error);
  });

  test('OBS-44: a name of a model is cut at 256 characters', () => {
    const request = {
      method: 'POST',
      mode: 'none',
      alias: undefined,
      model: undefined,
      attempts: 0,
      requestId: 'id',
      status: 400,
      ending: 'complete',
    } as const;
    const { 'gen_ai.request.model': asked } = serverAttributes(
      '/v1/chat/completions',
      request,
      'm'.repeat(300),
    );
    expect(asked).toHaveLength(256);
    const attempt = { ...ATTEMPT, model: 'm'.repeat(300) };
    expect(attemptAttributes(attempt)).toMatchObject({ 'gen_ai.request.model': 'm'.repeat(256) });
    expect(attemptName(attempt)).toBe(`chat ${'m'.repeat(256)}`);
  });

  test('OBS-55: an attempt is named by its operation and its model, where it has both', () => {
    expect(attemptName(ATTEMPT)).toBe('chat m');
    expect(attemptName({ ...ATTEMPT, operation: undefined })).toBe('POST');
    expect(attemptName({ ...ATTEMPT, operation: undefined, model: undefined, method: 'GET' })).toBe('GET');
  });

  test.each([
    ['/v1/responses', '/v1/responses'],
    ['/v1/chat/completions?q=%ff', '/v1/chat/completions'],
    ['/%761/messages/count%5Ftokens#%ff', '/v1/messages/count_tokens'],
    ['http://x.example/v1/completions', '/v1/completions'],
    ['/chutes/a/evidence?nonce=1', '/chutes/{chute}/evidence'],
    ['/chutes/a%25/evidence#%ff', '/chutes/{chute}/evidence'],
    ['/chutes/%ff/evidence', '/chutes/{chute}/evidence'],
  ])('OBS-56: %s is at %s', (url, route) => {
    expect(servedRoute(url)).toBe(route);
  });

  test.each([
    ['https://llm.example', 'llm.example', 443],
    ['http://llm.example', 'llm.example', 80],
    ['http://[::1]:8000', '[::1]', 8000],
  ])('OBS-44: the upstream %s', (origin, address, port) => {
    expect(attemptAttributes({ ...ATTEMPT, origin, n: 1 })).toMatchObject({
      'server.address': address,
      'server.port': port,
      'http.request.resend_count': 1,
    });
  });
});
