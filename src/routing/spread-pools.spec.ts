import { describe, expect, test } from '@jest/globals';
import { decide, NO_NEEDS, routingSettings, snapshotOf } from '../../test/support/routing-stage.js';
import { needSet, type RequestNeeds } from '../catalog/abilities.js';
import { readModelList } from '../catalog/model-list.js';
import { StatisticsReader } from '../catalog/statistics.js';
import { readUtilization } from '../catalog/utilization-feed.js';
import { eligibleModels } from '../ranking/eligible.js';
import { RoutingSnapshot } from './routing-snapshot.js';
import { routeOf } from './route.js';
import { clientPoint, isSpread } from './spread.js';

const CLIENTS = Array.from({ length: 300 }, (_, i) => clientPoint(`client ${i}`));
const TOOLS: RequestNeeds = { ...NO_NEEDS, needs: needSet('tools') };
/** Five, four, three and so on free instances. */
const snapshot = snapshotOf(
  [
    { id: 'a', supported_features: [] },
    { id: 'b', supported_features: ['tools'] },
    { id: 'c', supported_features: ['tools'] },
    { id: 'd' },
    { id: 'e' },
  ] as { id: string }[],
  ['a', 'b', 'c', 'd', 'e'],
);

/** Which orders clients have, each once. */
function orders(value: string, aliases: object, needs = NO_NEEDS, of = snapshot): readonly string[] {
  const settings = routingSettings(JSON.stringify(aliases));
  const names = CLIENTS.map((client) =>
    decide(value, of, settings, needs, client)
      .candidates.map(({ model }) => model)
      .join(''),
  );
  return [...new Set(names)].toSorted();
}

describe('clients that are spread', () => {
  test('POL-10, POL-12: each have an order of their own of the models that can', () => {
    const aliases = { auto: { spread: true } };
    expect(orders('auto', aliases).length).toBeGreaterThan(50);
    // Only two can, and of the rest it is not known: neither mixes with the other.
    expect(orders('auto', aliases, TOOLS)).toEqual(['bcde', 'bced', 'cbde', 'cbed']);
  });

  test('POL-14: by a variant, too, and never by another sort than capacity', () => {
    const plain = { auto: {} };
    expect(orders('auto', plain)).toEqual(['abcde']);
    expect(orders('auto:spread', plain, TOOLS)).toHaveLength(4);
    expect(orders('auto:spread:capacity', plain, TOOLS)).toHaveLength(4);
    expect(orders('auto:spread:price', plain)).toEqual(['abcde']);
    expect(orders('auto', { auto: { spread: true, sort: 'latency' } })).toEqual(['abcde']);
    expect(orders('auto', { auto: { spread: true, sort: 'listed', models: ['e', '*'] } })).toEqual(['eabcd']);
    expect(orders('auto:capacity', { auto: { spread: true, sort: 'price' } }, TOOLS)).toHaveLength(4);
  });

  test('POL-14: in a list, at the place of the alias', () => {
    expect(orders('e,auto', { auto: { spread: true, models: ['a', 'b'] } })).toEqual(['eab', 'eba']);
  });

  test('POL-14: nothing is asked of a client where it does not matter', () => {
    const settings = routingSettings(JSON.stringify({ auto: {}, wide: { spread: true } }));
    const matters = ['auto', 'wide', 'auto:spread', 'wide:price', 'a', 'a,auto', 'a,wide'].filter((value) =>
      isSpread(routeOf(value, settings)),
    );
    expect(matters).toEqual(['wide', 'auto:spread', 'a,wide']);
  });

  test('POL-15: those that meet a wish come first, whoever asks', () => {
    const reader = new StatisticsReader();
    for (const [name, average_ttft] of [
      ['a', 9],
      ['b', 1],
      ['c', 2],
      ['d', 8],
    ]) {
      reader.take({ name, average_ttft, date: '2026-02-18' });
    }
    const list = readModelList({ data: ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id })) })?.list;
    const rows = readUtilization(
      list?.ids.map((name) => ({ name, active_instance_count: 3, utilization_5m: 0 })),
    );
    if (!list || !rows) throw new Error('These are no feeds.');
    const eligible = eligibleModels(rows.rows, list, {
      statistics: reader.statistics,
      medianS: () => undefined,
    });
    const wishing = new RoutingSnapshot(eligible, list, []);
    expect(orders('auto', { auto: { spread: true, max_ttft_s: 2 } }, NO_NEEDS, wishing)).toEqual([
      'bcead',
      'bceda',
      'cbead',
      'cbeda',
    ]);
  });
});
