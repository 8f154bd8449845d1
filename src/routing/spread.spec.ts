import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { UNKNOWN_ABILITIES } from '../catalog/abilities.js';
import type { ModelId } from '../catalog/model-list.js';
import type { Candidate } from './candidate.js';
import { clientPoint, spreadOrder } from './spread.js';

const CLIENTS = Array.from({ length: 4_000 }, (_, i) => clientPoint(`client ${i}`));

describe('spread', () => {
  test('POL-7: models come first for clients in proportion to their scores', () => {
    const scores = fc.array(fc.integer({ min: 10, max: 100 }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(scores, (list) => {
        const models = list.map((score, i) => candidate(`m/${i}`, score));
        const sum = list.reduce((a, b) => a + b, 0);
        const firsts = firstsOf(models);
        list.forEach((score, i) => {
          const expected = (CLIENTS.length * score) / sum;
          const deviation = 5 * Math.sqrt(expected);
          expect(Math.abs((firsts.get(`m/${i}`) ?? 0) - expected)).toBeLessThan(deviation);
        });
      }),
      { numRuns: 25 },
    );
  });

  test('POL-7: when a score moves, clients move to it or from it, and none between the others', () => {
    const before = [candidate('a', 10), candidate('b', 8), candidate('c', 6)];
    const after = [candidate('a', 10), candidate('b', 9), candidate('c', 6)];
    const moves = CLIENTS.map((client) => [first(before, client), first(after, client)]).filter(
      ([from, to]) => from !== to,
    );
    expect(moves.every(([, to]) => to === 'b')).toBe(true);
    expect(moves.length).toBeGreaterThan(0);
    expect(moves.length).toBeLessThan(0.06 * CLIENTS.length);
  });

  test('POL-7: the order is one of the same models, the same each time, whatever order they came in', () => {
    const models = [candidate('a', 10), candidate('b', 8), candidate('c', 6)];
    for (const client of CLIENTS.slice(0, 50)) {
      const order = names(spreadOrder(models, client));
      expect(order.toSorted()).toEqual(['a', 'b', 'c']);
      expect(names(spreadOrder(models.toReversed(), client))).toEqual(order);
    }
  });

  test.each<[string, Candidate[], string[]]>([
    ['with less than a tenth of the best score', [candidate('a', 10), candidate('b', 0.9)], ['a', 'b']],
    ['without free capacity', [candidate('a', -1), candidate('b', 0), candidate('c', 3)], ['c', 'a', 'b']],
    ['of which a need is unknown', [candidate('a', 1), candidate('b', 5, 'unknown_tools')], ['a', 'b']],
    ['of which no utilization is known', [unranked('a'), unranked('b')], ['a', 'b']],
  ])('POL-7: models %s follow in their order', (_, models, expected) => {
    for (const client of CLIENTS.slice(0, 50)) expect(names(spreadOrder(models, client))).toEqual(expected);
  });
});

function firstsOf(models: readonly Candidate[]): Map<string, number> {
  const firsts = new Map<string, number>();
  for (const client of CLIENTS) {
    const model = first(models, client);
    firsts.set(model, (firsts.get(model) ?? 0) + 1);
  }
  return firsts;
}

function first(models: readonly Candidate[], client: number): string {
  return spreadOrder(models, client)[0]?.model ?? '';
}

function names(order: readonly Candidate[]): string[] {
  return order.map(({ model }) => model);
}

function candidate(id: string, score: number, why: Candidate['why'] = 'ranked'): Candidate {
  const capacity = { name: id, score, activeInstances: 1, utilization: 0, rateLimitRatio: 0 };
  return { model: id as ModelId, why, ranked: { id: id as ModelId, capacity, abilities: UNKNOWN_ABILITIES } };
}

function unranked(id: string): Candidate {
  return {
    model: id as ModelId,
    why: 'ranked',
    ranked: { id: id as ModelId, capacity: undefined, abilities: UNKNOWN_ABILITIES },
  };
}
