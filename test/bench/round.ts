import type { Gateway } from './gateways.ts';
import type { LoadProcess } from './run-load.ts';
import { cpuMicros } from './support.ts';

/** Requests a second. */
export const RATE = 1_000;
const MS = 1_500;

/** A while of steady load on one process. */
export interface Round {
  /** Microseconds of CPU a request. */
  readonly cpu: number;
  readonly latencies: readonly number[];
}

export async function runRound(gateway: Gateway, load: LoadProcess): Promise<Round> {
  const before = cpuMicros(gateway.pid);
  const { requests, latencies } = await load.run(gateway, { rate: RATE, ms: MS });
  return { cpu: (cpuMicros(gateway.pid) - before) / requests, latencies };
}
