import type { RequestNeeds } from '../../src/catalog/abilities.js';
import { readModelList } from '../../src/catalog/model-list.js';
import { readUtilization } from '../../src/catalog/utilization-feed.js';
import { readAliases } from '../../src/config/aliases.js';
import { eligibleModels } from '../../src/ranking/eligible.js';
import { AliasBook } from '../../src/routing/alias-book.js';
import { candidatesFor, type CandidateSettings } from '../../src/routing/candidates.js';
import { Decision } from '../../src/routing/decision.js';
import { routeOf, type RouteSettings } from '../../src/routing/route.js';
import { RoutingSnapshot } from '../../src/routing/routing-snapshot.js';
import type { ClientPoint } from '../../src/routing/spread.js';

export const NO_NEEDS: RequestNeeds = { needs: 0, promptBytes: 0, answerTokens: 0 };

type Settings = RouteSettings & CandidateSettings;

/** @param aliases as `AUTOPILOT_ALIASES` has them */
export function routingSettings(aliases: string, settings: Partial<Settings> = {}): Settings {
  return {
    aliases: new AliasBook(readAliases(aliases).aliases),
    maxListItems: 8,
    isModel: () => false,
    isStrict: true,
    requireTee: false,
    ...settings,
  };
}

/** @param eligible the ids of the models that run, the one with the most free capacity first; all others have no instance */
export function snapshotOf(
  entries: readonly (string | { readonly id: string })[],
  eligible: readonly string[],
): RoutingSnapshot {
  const data = entries.map((entry) => (typeof entry === 'string' ? { id: entry } : entry));
  const list = readModelList({ data })?.list;
  const rows = readUtilization(
    eligible.map((name, i) => ({ name, active_instance_count: eligible.length - i, utilization_5m: 0 })),
  )?.rows;
  if (!list) throw new Error('That is no model list.');
  return new RoutingSnapshot(eligibleModels(rows, list), list, []);
}

export function decide(
  value: string,
  snapshot: RoutingSnapshot,
  settings: Settings,
  needs: RequestNeeds = NO_NEEDS,
  client?: ClientPoint,
): Decision {
  const route = routeOf(value, settings);
  return new Decision(route, needs, needs, candidatesFor(route, needs, snapshot, settings, client), snapshot);
}
