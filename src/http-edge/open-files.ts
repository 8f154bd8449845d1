/** Logs, feeds, Redis, a collector of traces, and what Node has for itself. */
const OTHERS = 64;

export interface Connections {
  readonly clients: number;
  /** At the admin port; 0 without one. */
  readonly inside: number;
  readonly upstream: number;
  readonly listeners: number;
}

/** How many files a process has open when it has all the connections that it may have: each of them is one. */
export function openFilesNeeded({ clients, inside, upstream, listeners }: Connections): number {
  return clients + inside + upstream + listeners + OTHERS;
}
