import { expect } from '@jest/globals';
import type { ChutesSimulator } from '../../src/simulator/chutes-simulator.js';
import { complete, selectedOf } from './ask.js';
import { metricsOf } from './metrics.js';
import { type Env, eventually, type LogLine, startRouter, type TestRouter } from './router.js';

export const SECRET = 'a secret of the tests';

/** Environment that shares pins. */
export function sharedPins(redisUrl: string, env: Env = {}): Env {
  return { STICKY_STORE: 'redis', REDIS_URL: redisUrl, STICKY_HASH_SECRET: SECRET, ...env };
}

/** A router that shares its pins and is connected to Redis. Slow machines are no matter here: Redis has much time. */
export async function startSharing(
  chutes: ChutesSimulator,
  redisUrl: string,
  env: Env = {},
): Promise<TestRouter> {
  const router = await startRouter(chutes, sharedPins(redisUrl, { REDIS_TIMEOUT_MS: '5000', ...env }));
  await connected(router);
  return router;
}

/** What it has logged of Redis. */
export function redisLogs({ logs }: TestRouter): LogLine[] {
  return logs.filter(({ msg }) => /\bredis\b/.test(String(msg)));
}

/** Waits until it has been connected to Redis so many times. */
export async function connected({ logs }: TestRouter, times = 1): Promise<void> {
  await eventually(() => logs.filter(({ msg }) => msg === 'redis connected').length === times);
}

/** How often it has looked up a pin, by outcome. */
export async function lookups(router: TestRouter): Promise<Readonly<Record<string, number>>> {
  return (await metricsOf(router)).by('outcome', 'sticky_lookups_total');
}

let clients = 0;

/**
 * Whether a new client of a list stays with its second model after the first has failed once. Its requests are
 * answered in any case.
 */
export async function isPinned(
  chutes: ChutesSimulator,
  router: TestRouter,
  [first, second]: readonly [string, string],
): Promise<boolean> {
  const model = `${first},${second}`;
  const headers = { authorization: `Bearer cpk_pinned_${(clients += 1)}` };
  chutes.behave(first, 'unavailable', { times: 1 });
  expect(selectedOf(await complete(router, { model }, { headers }))).toBe(second);
  return selectedOf(await complete(router, { model }, { headers })) === second;
}
