import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { type Entry, Roster } from './roster.js';

describe('a roster', () => {
  test('PRJ-19: has those that have joined and not left', () => {
    const roster = new Roster<string>();
    const [one, two, three] = ['one', 'two', 'three'].map((name) => roster.add(name)) as [
      Entry<string>,
      Entry<string>,
      Entry<string>,
    ];
    roster.remove(one);
    expect([...roster].toSorted()).toEqual(['three', 'two']);
    roster.remove(three);
    expect([...roster]).toEqual(['two']);
    roster.remove(two);
    expect(roster.size).toBe(0);
  });

  test('PRJ-19: loses nobody when one leaves twice', () => {
    const roster = new Roster<string>();
    const one = roster.add('one');
    roster.add('two');
    roster.remove(one);
    roster.remove(one);
    expect([...roster]).toEqual(['two']);
  });

  test('PRJ-19: may lose members while it is gone through', () => {
    const roster = new Roster<string>();
    const entries = ['one', 'two', 'three'].map((name) => roster.add(name));
    const seen = [...roster].map((name) => {
      for (const entry of entries) roster.remove(entry);
      return name;
    });
    expect(seen).toHaveLength(3);
    expect(roster.size).toBe(0);
  });
});

test('PRJ-19: what has left is gone with the next collection of the young generation', () => {
  const collect = collector();
  const roster = new Roster<number[]>();
  const running: Entry<number[]>[] = [];
  const pass = (requests: number) => {
    for (let n = 0; n < requests; n += 1) {
      running.push(roster.add(Array.from({ length: 500 }, () => n)));
      if (running.length > 32) roster.remove(running.shift() as Entry<number[]>);
      if (n % 200 === 0) collect('minor');
    }
  };
  pass(1_000);
  collect('major');
  const before = process.memoryUsage().heapUsed;
  pass(20_000);
  collect('minor');
  // All of it together would be 80 MB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000);
});

function collector(): (type: 'minor' | 'major') => void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as NonNullable<typeof globalThis.gc>;
  return (type) => {
    gc({ type });
  };
}
