import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { UNKNOWN_ABILITIES } from '../catalog/abilities.js';
import type { ModelId } from '../catalog/model-list.js';
import type { Candidate } from './candidate.js';
import { clientPoint, Spread } from './spread.js';

const CLIENTS = Array.from({ length: 4_000 }, (_, i) => clientPoint(`client ${i}`));

describe('spread', () => {
  test('POL-10: models come first for clients in proportion to their scores', () => {
    const scores = fc.array(fc.integer({ min: 10, max: 100 }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(scores, (list) => {
        const sum = list.reduce((a, b) => a + b, 0);
        const firsts = firstsOf(list.map((score, i) => candidate(`m/${i}`, score)));
        list.forEach((score, i) => {
          const expected = (CLIENTS.length * score) / sum;
          const deviation = 5 * Math.sqrt(expected);
          expect(Math.abs((firsts.get(`m/${i}`) ?? 0) - expected)).toBeLessThan(deviation);
        });
      }),
      { numRuns: 25 },
    );
  });

  test('POL-11: when a score moves, clients move to that model or from it, and none between the others', () => {
    const scores = fc.array(fc.integer({ min: 20, max: 100 }), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(scores, fc.nat(), fc.constantFrom(0.9, 1.1), (list, place, factor) => {
        const moved = place % list.length;
        const after = list.map((score, i) => (i === moved ? score * factor : score));
        const [before, later] = [list, after].map(
          (its) => new Spread([its.map((score, i) => candidate(`m/${i}`, score))]),
        ) as [Spread, Spread];
        const moves = CLIENTS.map((client) => [first(before, client), first(later, client)]).filter(
          ([from, to]) => from !== to,
        );
        expect(moves.every((move) => move[factor > 1 ? 1 : 0] === `m/${moved}`)).toBe(true);
        // As many as its share of all of them changes by, and no more.
        const share = (of: number[]) => (of[moved] ?? 0) / of.reduce((a, b) => a + b, 0);
        const expected = CLIENTS.length * Math.abs(share(after) - share(list));
        expect(Math.abs(moves.length - expected)).toBeLessThan(5 * Math.sqrt(expected) + 5);
      }),
      { numRuns: 25 },
    );
  });

  test('POL-11: when a model goes, only its clients move; each to its own next one', () => {
    const models = [candidate('a', 10), candidate('b', 8), candidate('c', 6)];
    const [before, after] = [new Spread([models]), new Spread([models.slice(1)])];
    for (const client of CLIENTS) {
      const order = names(before.orderFor(client));
      expect(names(after.orderFor(client))).toEqual(order.filter((name) => name !== 'a'));
    }
  });

  test('POL-10: keeps the set, however absurd the scores', () => {
    const score = fc.oneof(
      fc.constantFrom(Infinity, -Infinity, 0, -0, 1e308, 5e-324, 0.01),
      fc.double({ noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(score, { maxLength: 6 }), fc.nat(2 ** 32 - 1), (scores, client) => {
        const models = scores.map((its, i) => candidate(`${i}`, its));
        const order = names(new Spread([models]).orderFor(client));
        expect(order.toSorted()).toEqual(names(models));
        expect(new Set(order).size).toBe(models.length);
      }),
      { numRuns: 1_000 },
    );
  });

  test('POL-12: the order is the same each time, whatever order the models came in', () => {
    const models = [candidate('a', 10), candidate('b', 8), candidate('c', 6)];
    for (const client of CLIENTS.slice(0, 50)) {
      const order = names(new Spread([models]).orderFor(client));
      expect(order.toSorted()).toEqual(['a', 'b', 'c']);
      expect(names(new Spread([models.toReversed()]).orderFor(client))).toEqual(order);
    }
  });

  test('POL-12: the hash is a fixed one: another process gives the same', () => {
    const models = ['a/one', 'b/two', 'c/three', 'd/four', 'e/five'].map((id) => candidate(id, 5));
    const spread = new Spread([models]);
    const orders = ['x', 'y', 'z'].map((seed) => names(spread.orderFor(clientPoint(seed))).join(' '));
    expect(clientPoint('x')).toBe(0x2d711642);
    expect(orders).toEqual([
      'a/one e/five d/four c/three b/two',
      'e/five c/three b/two a/one d/four',
      'b/two c/three e/five d/four a/one',
    ]);
  });

  test('POL-10: a score of little weighs as 0.01 does', () => {
    const firsts = firstsOf([candidate('a', 0.01), candidate('b', 0.001)]);
    expect((firsts.get('a') ?? 0) / CLIENTS.length).toBeCloseTo(0.5, 1);
  });

  test.each<[string, Candidate[][], string[]]>([
    ['with less than a tenth of the best score', [[candidate('a', 10), candidate('b', 0.9)]], ['a', 'b']],
    ['without free capacity', [[candidate('c', 3), candidate('b', 0), candidate('a', -1)]], ['c', 'b', 'a']],
    ['of which no utilization is known', [[unranked('b'), unranked('a')]], ['b', 'a']],
    ['of a later part', [[candidate('a', 1)], [candidate('b', 50), unranked('c')]], ['a', 'b', 'c']],
  ])('POL-10: models %s follow in their order', (_, parts, expected) => {
    const spread = new Spread(parts);
    for (const client of CLIENTS.slice(0, 50)) expect(names(spread.orderFor(client))).toEqual(expected);
  });

  test('POL-10: the best of a part counts for it: one without a share is nobody’s first', () => {
    const spread = new Spread([[candidate('a', 1), candidate('b', 0.5)], [candidate('c', 50)]]);
    const orders = new Set(CLIENTS.map((client) => names(spread.orderFor(client)).join('')));
    expect([...orders].toSorted()).toEqual(['abc', 'bac']);
  });
});

function firstsOf(models: readonly Candidate[]): Map<string, number> {
  const spread = new Spread([models]);
  const firsts = new Map<string, number>();
  for (const client of CLIENTS) {
    const model = first(spread, client);
    firsts.set(model, (firsts.get(model) ?? 0) + 1);
  }
  return firsts;
}

function first(spread: Spread, client: number): string {
  return spread.orderFor(client)[0]?.model ?? '';
}

function names(order: readonly Candidate[]): string[] {
  return order.map(({ model }) => model);
}

function candidate(id: string, score: number): Candidate {
  const capacity = { name: id, score, activeInstances: 1, utilization: 0, rateLimitRatio: 0 };
  const ranked = { id: id as ModelId, capacity, abilities: UNKNOWN_ABILITIES };
  return { model: id as ModelId, why: 'ranked', ranked };
}

function unranked(id: string): Candidate {
  const ranked = { id: id as ModelId, capacity: undefined, abilities: UNKNOWN_ABILITIES };
  return { model: id as ModelId, why: 'ranked', ranked };
}
