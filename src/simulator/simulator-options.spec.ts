import { describe, expect, test } from '@jest/globals';
import { readSimulatorOptions } from './simulator-options.js';

describe('options of the stand-alone simulator', () => {
  test('SIM-4: has a pace to look at by default', () => {
    expect(readSimulatorOptions([], {})).toEqual({
      host: '127.0.0.1',
      port: 8090,
      seed: 1,
      catalog: '2026-02',
      tickMs: 60_000,
      requireAuth: false,
      keepRequests: 0,
      pace: { firstTokenMs: 300, tokenMs: 25 },
    });
  });

  test('SIM-4: reads flags and environment, a flag winning, an empty variable not counting', () => {
    const flags = ['--port', '0', '--token-ms', '0', '--require-auth', '--tokens', '40'];
    const env = {
      SIMULATOR_PORT: '1',
      SIMULATOR_FIRST_TOKEN_MS: '9',
      SIMULATOR_HOST: '::1',
      SIMULATOR_SEED: '',
    };
    expect(readSimulatorOptions(flags, env)).toMatchObject({
      host: '::1',
      port: 0,
      seed: 1,
      requireAuth: true,
      pace: { firstTokenMs: 9, tokenMs: 0, tokens: 40 },
    });
  });

  test('SIM-4: names every wrong number', () => {
    expect(() => readSimulatorOptions(['--port', 'x'], { SIMULATOR_SEED: '-1' })).toThrow(
      'Must be a decimal integer: port, seed.',
    );
  });

  test('SIM-4, SIM-32: names a month it has no catalog of beside what else is wrong', () => {
    expect(readSimulatorOptions(['--catalog', '2026-08'], {}).catalog).toBe('2026-08');
    expect(() => readSimulatorOptions(['--seed', 'x'], { SIMULATOR_CATALOG: '2026-13' })).toThrow(
      'Must be a decimal integer: seed. Must be one of 2026-02, 2026-08: catalog.',
    );
  });
});
