import { execFile } from 'node:child_process';
import type { ScriptResult } from './run-script.js';

/** Debian's package, for those who have to install it. */
export const PROMETHEUS_ADVICE = 'Debian: apt-get install prometheus';

/** Runs promtool. @param input what it reads from its standard input */
export async function promtool(args: readonly string[], input = ''): Promise<ScriptResult> {
  return new Promise((resolve) => {
    const child = execFile('promtool', args, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, output: stdout + stderr });
    });
    child.stdin?.end(input);
  });
}
