import { existsSync, readFileSync } from 'node:fs';

/**
 * How long a process's event loop has had a processor, in milliseconds; where the system does not tell, the time that has passed.
 * Between two looks it is what the process did itself, however busy the machine is with others.
 */
export function cpuTimeMs(pid: number | undefined): number {
  const schedule = `/proc/${pid}/task/${pid}/schedstat`;
  if (!existsSync(schedule)) return performance.now();
  const [nanoseconds] = readFileSync(schedule, 'utf8').split(' ');
  return Number(nanoseconds) / 1e6;
}
