import { NotFoundException, PayloadTooLargeException } from '@nestjs/common';
import { describe, expect, test } from '@jest/globals';
import { ApiError } from './api-error.js';
import { ServedPaths } from './served-paths.js';
import { toApiError } from './to-error-response.js';

const SECRET = 'cpk_secret';
const SERVED = new ServedPaths();

function fastifyError(statusCode: number): Error {
  return Object.assign(new Error(`Broken: ${SECRET}`), { statusCode, code: 'FST_ERR_SOMETHING' });
}

describe('what was thrown, as the client is to see it', () => {
  test("ERR-1: the router's own errors are as they are", () => {
    const error = ApiError.overloaded();
    expect(toApiError(error, '/', SERVED)).toBe(error);
  });

  test.each([
    ['a path without a route', new NotFoundException(SECRET), '/nowhere', 'not_found'],
    [
      'a route without the method',
      new NotFoundException(SECRET),
      '/v1/completions?x=1',
      'method_not_allowed',
    ],
    ['a path that cannot be decoded', fastifyError(400), '/%zz', 'bad_request'],
    ['a path parameter that is too long', fastifyError(414), '/v1/models/x', 'not_found'],
  ])('ERR-16, ERR-17: %s', (_, thrown, url, code) => {
    expect(toApiError(thrown, url, SERVED).code).toBe(code);
  });

  test.each([
    ['an Error', new Error(SECRET)],
    ['an error of Nest that has no place here', new PayloadTooLargeException(SECRET)],
    ['an error of Fastify that has no place here', fastifyError(503)],
    ['an object with an odd status', { statusCode: '404', message: SECRET }],
    ['a string', SECRET],
    ['undefined', undefined],
    ['null', null],
  ])('ERR-5: %s is an internal error', (_, thrown) => {
    expect(toApiError(thrown, '/', SERVED)).toMatchObject({
      status: 500,
      type: 'server_error',
      code: 'internal_error',
    });
  });

  test.each([new NotFoundException(SECRET), fastifyError(400), fastifyError(414), new Error(SECRET)])(
    'ERR-2: no message but the router’s own is told: %s',
    (thrown) => {
      expect(JSON.stringify(toApiError(thrown, `/${SECRET}?${SECRET}`, SERVED).toBody())).not.toContain(
        SECRET,
      );
    },
  );
});
