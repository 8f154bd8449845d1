import { describe, expect, test } from '@jest/globals';
import { decide, routingSettings, snapshotOf } from '../../test/support/routing-stage.js';

describe('a value that could be a variant of an alias', () => {
  test.each(['auto:fast', 'auto:price', 'auto:tee:price'])(
    'POL-9: %s, where the catalog has a model that is spelled so, is that model, alone and in a list',
    (id) => {
      const settings = routingSettings('auto', { isModel: (name) => name === id });
      const catalog = snapshotOf([id, 'a'], ['a']);
      expect(decide(id, catalog, settings).route).toEqual({ mode: 'direct', model: id });
      expect(decide(`${id},a`, catalog, settings).candidates.map(({ model }) => model)).toEqual([id, 'a']);
    },
  );

  test('POL-9: an alias that is spelled so goes before the model', () => {
    const settings = routingSettings('auto,auto:price', { isModel: () => true });
    expect(decide('auto:price', snapshotOf(['auto:price', 'a'], ['a']), settings).route).toMatchObject({
      alias: { alias: 'auto:price', variants: [] },
    });
  });
});
