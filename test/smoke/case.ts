import { Client } from './client.ts';
import type { World } from './world.ts';

/** Something that must hold of a router, seen from outside. */
export interface Case {
  /** A sentence. */
  readonly name: string;
  /**
   * What it needs beside a router: `simulator`, the simulated Chutes behind it; `settings`, the short times of a
   * router that the harness has started, and nobody between the two.
   */
  readonly needs?: 'simulator' | 'settings' | undefined;
  /** Throws where it does not hold. */
  readonly run: (client: Client) => Promise<void>;
}

export interface Result {
  readonly group: string;
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly ms: number;
  /** Why it failed or was skipped. */
  readonly detail: string;
}

/** Goes through one case, if it can be gone through in this world. */
export async function run(group: string, one: Case, world: World): Promise<Result> {
  const lacking = lacks(one.needs, world);
  return lacking === undefined
    ? attempt(group, one.name, async () => one.run(new Client(world)))
    : skip(group, one, lacking);
}

export function skip(group: string, { name }: Case, why: string): Result {
  return { group, name, outcome: 'skipped', ms: 0, detail: why };
}

/** Whether something can be done, and how long it takes. */
export async function attempt(group: string, name: string, act: () => Promise<void>): Promise<Result> {
  const startedAt = performance.now();
  const ended = () => ({ group, name, ms: Math.round(performance.now() - startedAt) });
  try {
    await act();
    return { ...ended(), outcome: 'passed', detail: '' };
  } catch (error) {
    return { ...ended(), outcome: 'failed', detail: reasonOf(error) };
  }
}

function lacks(needs: Case['needs'], { isOwn, hasSimulator }: World): string | undefined {
  if (needs === 'simulator' && !hasSimulator) return 'needs the simulated Chutes';
  if (needs === 'settings' && !isOwn) return 'needs a router that the harness has started';
  return undefined;
}

/** In one line. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  const because = cause instanceof Error ? ` (${cause.message})` : '';
  return `${message}${because}`.replaceAll(/\s+/g, ' ').trim();
}
