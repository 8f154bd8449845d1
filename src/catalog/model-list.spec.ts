import { describe, expect, it } from '@jest/globals';
import { readAbilities, UNKNOWN_ABILITIES } from './abilities.js';
import { readModelList } from './model-list.js';

describe('readModelList', () => {
  it('CAT-1: takes the ids of `data`, in their order', () => {
    const read = readModelList({ object: 'list', data: [{ id: 'b/two' }, { id: 'a/one' }] });
    expect(read?.list.ids).toEqual(['b/two', 'a/one']);
    expect(read?.list.byId.get('a/one')?.id).toBe('a/one');
    expect(read?.skipped).toBe(0);
  });

  it('CAT-1, CAT-14: keeps the entry as it came, and reads what it says of chute and confidentiality', () => {
    const full = { id: 'a/one', chute_id: 'c-1', confidential_compute: true, pricing: { prompt: 0.1 } };
    const read = readModelList({
      data: [full, { id: 'b/two', chute_id: null }, { id: 'c/three', confidential_compute: 'yes' }],
    });
    expect(read?.list.models).toEqual([
      { id: 'a/one', chuteId: 'c-1', abilities: readAbilities(full), entry: full },
      { id: 'b/two', chuteId: undefined, abilities: UNKNOWN_ABILITIES, entry: expect.anything() },
      { id: 'c/three', chuteId: undefined, abilities: UNKNOWN_ABILITIES, entry: expect.anything() },
    ]);
    expect(read?.list.models[0]?.entry).toBe(full);
  });

  it.each([
    null,
    [],
    'a/one',
    7,
    {},
    { models: [{ id: 'a/one' }] },
    { data: null },
    { data: { id: 'a/one' } },
    [{ id: 'a/one' }],
  ])('CAT-9: %j is no model list', (root) => {
    expect(readModelList(root)).toBeUndefined();
  });

  it.each([null, 7, 'a/one', [], {}, { id: null }, { id: '' }, { id: 7 }, { name: 'a/one' }])(
    'CAT-12: skips and counts %j, and uses the rest',
    (entry) => {
      const read = readModelList({ data: [{ id: 'a/one' }, entry, { id: 'b/two' }] });
      expect(read?.list.ids).toEqual(['a/one', 'b/two']);
      expect(read?.skipped).toBe(1);
    },
  );

  it('CAT-10: has no usable entry in an empty list, and in one of unusable entries', () => {
    expect(readModelList({ data: [] })).toMatchObject({ list: { models: [], ids: [] }, skipped: 0 });
    expect(readModelList({ data: [null, {}] })).toMatchObject({ list: { models: [], ids: [] }, skipped: 2 });
  });

  it('CAT-1: knows an id that occurs twice once', () => {
    const read = readModelList({ data: [{ id: 'a/one' }, { id: 'b/two' }, { id: 'a/one' }] });
    expect(read?.list.ids).toEqual(['a/one', 'b/two']);
  });

  it('CAT-1: takes names of properties that every object has for nothing but ids', () => {
    const ids = ['__proto__', 'constructor', 'toString'];
    const read = readModelList(JSON.parse(JSON.stringify({ data: ids.map((id) => ({ id })) })));
    expect(read?.list.ids).toEqual(ids);
    expect(read?.list.byId.get('hasOwnProperty')).toBeUndefined();
  });
});
