import type { Random } from '../support/random.ts';

/**
 * Runs something by another clock and other dice than the process's own. What the router remembers goes by both: with the simulation's
 * its own services run in it unchanged, and the same run comes out the same.
 *
 * @param run must not wait for anything: until it has returned, all of this process lives by that clock
 */
export function inVirtualTime<T>(clock: { readonly nowMs: number }, random: Random, run: () => T): T {
  const dice = Math.random.bind(Math);
  Object.defineProperty(performance, 'now', { value: () => clock.nowMs, configurable: true });
  Math.random = () => random.next();
  try {
    return run();
  } finally {
    // That of the prototype shows again.
    Reflect.deleteProperty(performance, 'now');
    Math.random = dice;
  }
}
