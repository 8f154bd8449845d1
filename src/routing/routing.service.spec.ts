import { beforeEach, describe, expect, it } from '@jest/globals';
import { CatalogService } from '../catalog/catalog.service.js';
import { type ModelList, readModelList } from '../catalog/model-list.js';
import { readUtilization, type UtilizationRow } from '../catalog/utilization-feed.js';
import { loadConfig } from '../config/config.js';
import { RankingService } from '../ranking/ranking.service.js';
import { NO_NEEDS } from '../../test/support/routing-stage.js';
import { RoutingService } from './routing.service.js';

let catalog: CatalogService;
let routing: RoutingService;

describe('the snapshot that requests read', () => {
  beforeEach(() => {
    catalog = new CatalogService();
    routing = new RoutingService(loadConfig({}), catalog, new RankingService(catalog));
  });

  it('CAT-16: is empty before any feed was loaded', () => {
    expect(routing.snapshot.eligible).toEqual([]);
    expect(routing.snapshot.catalog.models).toEqual([]);
  });

  it('CAT-16: is made anew when either feed changes', () => {
    catalog.apply('models', { kind: 'ok', value: listOf('a/one', 'b/two') }, 1);
    expect(rankedModels()).toEqual(['a/one', 'b/two']);
    catalog.apply('utilization', { kind: 'ok', value: rowsOf({ 'a/one': 1, 'b/two': 2 }) }, 2);
    expect(rankedModels()).toEqual(['b/two', 'a/one']);
    catalog.apply('models', { kind: 'ok', value: listOf('a/one') }, 3);
    expect(rankedModels()).toEqual(['a/one']);
    expect(routing.snapshot.catalog.ids).toEqual(['a/one']);
  });

  it('CAT-16: is replaced as a whole: one that was taken before stays as it was', () => {
    catalog.apply('models', { kind: 'ok', value: listOf('a/one', 'b/two') }, 1);
    const taken = routing.snapshot;
    const { eligible, catalog: list } = taken;
    catalog.apply('models', { kind: 'ok', value: listOf('c/three') }, 2);
    expect(routing.snapshot).not.toBe(taken);
    expect(taken).toMatchObject({ eligible, catalog: list });
    expect(eligible.map(({ id }) => id)).toEqual(['a/one', 'b/two']);
  });

  it('CAT-5, CAT-16: stays the same through failures and through refreshes that change nothing', () => {
    const list = listOf('a/one', 'b/two');
    catalog.apply('models', { kind: 'ok', value: list }, 1);
    const before = routing.snapshot;
    catalog.apply('models', { kind: 'ok', value: list }, 2);
    catalog.apply('models', { kind: 'error', reason: 'status 500' }, 3);
    catalog.apply('models', { kind: 'empty' }, 4);
    catalog.apply('utilization', { kind: 'error', reason: 'status 500' }, 5);
    expect(routing.snapshot).toBe(before);
  });
});

function rankedModels(): readonly string[] {
  return routing
    .decide(routing.route('chutesai/AutoPilot'), NO_NEEDS, false)
    .candidates.map(({ model }) => model);
}

function listOf(...ids: readonly string[]): ModelList {
  const read = readModelList({ data: ids.map((id) => ({ id })) });
  if (read === undefined) throw new Error('The list is not readable.');
  return read.list;
}

/** @param instances active instances by name */
function rowsOf(instances: Readonly<Record<string, number>>): readonly UtilizationRow[] {
  const rows = Object.entries(instances).map(([name, count]) => ({
    name,
    active_instance_count: count,
    utilization_5m: 0,
  }));
  return readUtilization(rows)?.rows ?? [];
}
