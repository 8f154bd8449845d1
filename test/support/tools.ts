import { execFileSync } from 'node:child_process';
import { describe } from '@jest/globals';

/**
 * `describe` for tests that need a program. Where it is not here they are skipped and that is said; with `CI` set it
 * fails instead, so that nothing goes untested unnoticed.
 *
 * @param check what the program takes to say that it is there
 */
export function describeWith(
  program: string,
  check: readonly string[],
  advice: string,
): typeof describe.skip {
  try {
    execFileSync(program, check, { stdio: 'ignore' });
    return describe;
  } catch {
    const missing = `There is no ${program} (${advice}).`;
    if (process.env['CI']) throw new Error(missing);
    process.stderr.write(`SKIPPED: tests that need it. ${missing}\n`);
    return describe.skip;
  }
}
