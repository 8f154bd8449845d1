/** What is said by a Redis that has lost its role. A new connection to the same address may lead to the one that has it now. */
const LOST_ROLE: ReadonlySet<string> = new Set(['READONLY', 'MASTERDOWN', 'NOREPLICAS']);

const CLUSTER: ReadonlySet<string> = new Set(['MOVED', 'ASK', 'CROSSSLOT', 'CLUSTERDOWN', 'TRYAGAIN']);

/**
 * What an error that Redis answers says of it.
 *
 * @param code the first word of the error
 */
export function refusalOf(code: string): 'lost-role' | 'cluster' | 'temporary' {
  if (LOST_ROLE.has(code)) return 'lost-role';
  return CLUSTER.has(code) ? 'cluster' : 'temporary';
}
