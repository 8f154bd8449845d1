import { expect, test } from '@jest/globals';
import { sessionOf } from './session.js';

test.each<[object, string | undefined, string | undefined]>([
  [{ 'x-session-id': 'a', 'session-id': 'b' }, 'c', 'a'],
  [{ 'x-claude-code-session-id': 'a', 'x-session-affinity': 'b' }, undefined, 'a'],
  [{ 'x-session-affinity': 'a', session_id: 'b' }, 'c', 'a'],
  [{ 'session-id': 'a', session_id: 'b' }, undefined, 'a'],
  [{ session_id: 'a' }, 'c', 'a'],
  [{ 'x-session-id': '', 'session-id': '' }, 'c', 'c'],
  [{ 'x-session-id': ['a', 'b'] }, undefined, 'a, b'],
  [{}, '', undefined],
  [{}, undefined, undefined],
])('STK-40: of %j and %j in the body the session is %j', (headers, inBody, session) => {
  expect(sessionOf(headers as never, 'x-session-id', () => inBody)).toBe(session);
});
