import { expect, test } from '@jest/globals';
import { sessionInHeaders } from './session.js';

test.each<[object, string | undefined]>([
  [{ 'x-session-id': 'a', 'session-id': 'b' }, 'a'],
  [{ 'x-claude-code-session-id': 'a', 'x-session-affinity': 'b' }, 'a'],
  [{ 'x-session-affinity': 'a', session_id: 'b' }, 'a'],
  [{ 'session-id': 'a', session_id: 'b' }, 'a'],
  [{ session_id: 'a' }, 'a'],
  [{ 'x-session-id': '', 'session-id': '', session_id: 'c' }, 'c'],
  [{ 'x-session-id': '', 'session-id': '' }, undefined],
  [{ 'x-session-id': ['a', 'b'] }, 'a, b'],
  [{}, undefined],
])('STK-40: of %j the session is %j', (headers, session) => {
  expect(sessionInHeaders(headers as never, 'x-session-id')).toBe(session);
});
