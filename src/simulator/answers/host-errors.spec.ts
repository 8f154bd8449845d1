import { describe, expect, test } from '@jest/globals';
import { detailReply, REPLIES } from './chutes-replies.js';
import { asHostSays } from './host-errors.js';

const FULL = REPLIES.atCapacity;
const MESSAGE = 'Infrastructure is at maximum capacity, try again later';

describe('a refusal', () => {
  test('SIM-43: of the LLM host is as it is', () => {
    expect(asHostSays('chat', FULL)).toBe(FULL);
    expect(asHostSays('text', FULL)).toBe(FULL);
  });

  test.each([
    ['response', { error: { message: MESSAGE, type: 'invalid_request_error', param: null, code: null } }],
    ['message', { type: 'error', error: { type: 'rate_limit_error', message: MESSAGE } }],
    ['token-count', { type: 'error', error: { type: 'rate_limit_error', message: MESSAGE } }],
  ] as const)('SIM-43: has the words and the shape of its host: %s', (kind, body) => {
    const { status, body: text } = asHostSays(kind, FULL);
    expect([status, JSON.parse(text)]).toEqual([429, body]);
  });

  test('SIM-43: that is an object has its message told', () => {
    const { body } = asHostSays('message', detailReply(402, { message: 'Quota exceeded', resets: 1 }));
    expect(JSON.parse(body)).toMatchObject({ error: { message: 'Quota exceeded' } });
  });

  test('SIM-43: that is the page of a proxy stays one', () => {
    expect(asHostSays('message', REPLIES.badGateway)).toBe(REPLIES.badGateway);
  });
});
