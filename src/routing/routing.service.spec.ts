import { Subject } from 'rxjs';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { CatalogService } from '../catalog/catalog.service.js';
import { type ModelList, readModelList } from '../catalog/model-list.js';
import { readUtilization, type UtilizationRow } from '../catalog/utilization-feed.js';
import { loadConfig } from '../config/config.js';
import { StatisticsReader } from '../catalog/statistics.js';
import type { FirstTokenMedians } from '../ranking/first-token-medians.js';
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

describe('what the router measures', () => {
  const aliases = { fast: { sort: 'latency' }, quick: { max_ttft_s: 1 }, roomy: {} };
  const medians: Record<string, number> = {};
  const changes = new Subject<void>();

  beforeEach(() => {
    for (const model of Object.keys(medians)) delete medians[model];
    catalog = new CatalogService();
    const own: FirstTokenMedians = { medianS: (model) => medians[model], changes };
    const config = loadConfig({ AUTOPILOT_ALIASES: JSON.stringify(aliases) });
    routing = new RoutingService(config, catalog, new RankingService(catalog, own));
    catalog.apply('models', { kind: 'ok', value: listOf('a/one', 'b/two', 'c/three') }, 1);
    const rows = rowsOf({ 'a/one': 3, 'b/two': 2, 'c/three': 1 });
    catalog.apply('utilization', { kind: 'ok', value: rows }, 2);
  });

  it('POL-13: changes the order of those that look at it, and leaves the lists of others', () => {
    const roomy = candidatesOf('roomy');
    Object.assign(medians, { 'b/two': 2, 'c/three': 0.5 });
    expect(namesOf('fast')).toEqual(['a/one', 'b/two', 'c/three']);
    changes.next();
    expect(namesOf('fast')).toEqual(['c/three', 'b/two', 'a/one']);
    expect(namesOf('quick')).toEqual(['c/three', 'a/one', 'b/two']);
    expect(namesOf('roomy:latency')).toEqual(['c/three', 'b/two', 'a/one']);
    expect(candidatesOf('roomy')).toBe(roomy);
  });

  it('POL-13: is what a decision tells, by whatever order it was made', () => {
    medians['b/two'] = 2;
    changes.next();
    const decision = routing.decide(routing.route('roomy'), NO_NEEDS, false);
    expect(decision.candidates.map(({ model }) => decision.figuresOf(model)?.ttftS)).toEqual([
      undefined,
      2,
      undefined,
    ]);
  });

  it('CAT-29: goes before the statistics, which change the order when they come', () => {
    medians['a/one'] = 3;
    const reader = new StatisticsReader();
    for (const [name, average_ttft] of [
      ['a/one', 0.1],
      ['c/three', 2],
    ]) {
      reader.take({ name, average_ttft, date: '2026-02-18' });
    }
    catalog.apply('stats', { kind: 'ok', value: reader.statistics }, 3);
    expect(namesOf('fast')).toEqual(['c/three', 'a/one', 'b/two']);
    catalog.apply('stats', { kind: 'error', reason: 'status 500' }, 4);
    expect(namesOf('fast')).toEqual(['c/three', 'a/one', 'b/two']);
  });
});

function candidatesOf(alias: string) {
  return routing.decide(routing.route(alias), NO_NEEDS, false).candidates;
}

function namesOf(alias: string): readonly string[] {
  return candidatesOf(alias).map(({ model }) => model);
}

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
