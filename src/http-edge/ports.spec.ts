import { expect, test } from '@jest/globals';
import { belongsInside } from './ports.js';

test.each([
  ['/healthz', true],
  ['/readyz', true],
  ['/metrics', true],
  ['/autopilot', true],
  ['/autopilot/decisions', true],
  ['/autopilot/a/b', true],
  ['/', false],
  ['/v1/chat/completions', false],
  ['/v1/models/healthz', false],
  ['/chutes/metrics/evidence', false],
  ['/metrics/', false],
  ['/healthzz', false],
  ['/autopilots', false],
  ['/v1/autopilot', false],
])('HLT-21: %s is for the admin port: %s', (path, expected) => {
  expect(belongsInside(path)).toBe(expected);
});
