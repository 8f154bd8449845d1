import { needsIn } from '../catalog/abilities.js';
import type { RequestRecord } from '../request/request-record.js';
import type { Decision } from '../routing/decision.js';

/** Keeps of a decision what log and status page tell of it. */
export function noteDecision(
  { route, asked, candidates, excludedCounts }: Decision,
  record: RequestRecord,
): void {
  record.candidates = candidates.length;
  record.excluded = excludedCounts;
  record.needs = needsIn(asked.needs);
  if (route.mode === 'alias') {
    record.alias = route.alias.alias;
    record.sort = route.alias.policy.sort;
  }
}
