import { describe, expect, test } from '@jest/globals';
import { attemptAttributes, errorTypeOf, operationOf, serverAttributes } from './tracing.js';

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
      route: '/v1/chat/completions',
      mode: 'none',
      alias: undefined,
      model: undefined,
      attempts: 0,
      requestId: 'id',
      status: 400,
      ending: 'complete',
    } as const;
    const { 'gen_ai.request.model': asked } = serverAttributes(request, 'm'.repeat(300));
    expect(asked).toHaveLength(256);
    expect(attemptAttributes('m'.repeat(300), 'POST', 'http://a', 0)).toMatchObject({
      'gen_ai.request.model': 'm'.repeat(256),
    });
  });

  test.each([
    ['https://llm.example', 'llm.example', 443],
    ['http://llm.example', 'llm.example', 80],
    ['http://[::1]:8000', '[::1]', 8000],
  ])('OBS-44: the upstream %s', (origin, address, port) => {
    expect(attemptAttributes('m', 'POST', origin, 1)).toMatchObject({
      'server.address': address,
      'server.port': port,
      'http.request.resend_count': 1,
    });
  });
});
