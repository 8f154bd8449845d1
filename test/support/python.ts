import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describeWith } from './tools.js';

// Where `.ci/python` puts it.
const PYTHON = join(homedir(), '.cache/chutes-autopilot/python/bin/python');

/** A `describe` for tests that need Python with OpenAI's client. */
export const describeWithPython = describeWith(PYTHON, ['-c', 'import openai'], '.ci/python installs it');

/**
 * What a program prints.
 *
 * @throws with its traceback where it fails
 */
export async function runPython(code: string, env: Readonly<Record<string, string>>): Promise<string> {
  const { stdout } = await promisify(execFile)(PYTHON, ['-c', code], { env });
  return stdout;
}
