import { execFile } from 'node:child_process';

export interface ScriptResult {
  readonly code: number;
  /** All it wrote, errors too. */
  readonly output: string;
}

/** Runs a program of the project under Node itself, as `npm run` does. */
export async function runScript(path: string, args: readonly string[]): Promise<ScriptResult> {
  return new Promise((resolve) => {
    execFile(process.execPath, [path, ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, output: stdout + stderr });
    });
  });
}
