import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Gateway } from './gateways.ts';

/** What `load.ts` prints. Times in milliseconds. */
export interface LoadReport {
  readonly requests: number;
  readonly chunks: number;
  readonly failures: number;
  readonly p50: number;
  readonly p99: number;
}

const run = promisify(execFile);

/** Puts a gateway under load from a process of its own. @throws if one request fails */
export async function runLoad(gateway: Gateway, core: number, flags: readonly string[]): Promise<LoadReport> {
  const headers = Object.entries(gateway.headers).flatMap(([name, value]) => [
    '--header',
    `${name}: ${value}`,
  ]);
  const command = [process.execPath, 'test/bench/load.ts', '--url', gateway.url, ...headers, ...flags];
  const { stdout } = await run('taskset', ['-c', String(core), ...command]);
  const report = JSON.parse(stdout) as LoadReport;
  if (report.failures > 0) throw new Error(`${gateway.name}: ${report.failures} requests failed.`);
  return report;
}
