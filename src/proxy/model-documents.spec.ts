import { describe, expect, test } from '@jest/globals';
import { EMPTY_MODEL_LIST, readModelList } from '../catalog/model-list.js';
import { hasTag } from '../request/etag.js';
import { ModelDocuments } from './model-documents.js';

const ALIASES = [{ id: 'auto', object: 'model' }];

function documentsOf(entries: readonly object[]): ModelDocuments {
  const read = readModelList({ data: entries });
  if (!read) throw new Error('It is no model list.');
  return new ModelDocuments(read.list, ALIASES);
}

const documents = documentsOf([{ id: 'a', n: 1.5 }, { id: 'auto' }, { id: 'b' }]);
const parsed = (body: Buffer | undefined): unknown => JSON.parse(String(body));

test('RTE-4, RTE-28: the list is made once, aliases first', () => {
  expect(parsed(documents.list.body)).toEqual({
    object: 'list',
    data: [...ALIASES, { id: 'a', n: 1.5 }, { id: 'auto' }, { id: 'b' }],
  });
  expect(documents.list).toBe(documents.list);
});

test('RTE-6, RTE-28: so is each entry, an alias before a model of the same name', () => {
  expect(parsed(documents.of('a')?.body)).toEqual({ id: 'a', n: 1.5 });
  expect(parsed(documents.of('auto')?.body)).toEqual(ALIASES[0]);
  expect(documents.of('a')).toBe(documents.of('a'));
});

test('RTE-7: there is none for other names', () => {
  for (const id of ['', 'c', 'constructor', '__proto__']) expect(documents.of(id)).toBeUndefined();
});

test('RTE-27: tags are those of the content', () => {
  const same = documentsOf([{ id: 'a', n: 1.5 }, { id: 'auto' }, { id: 'b' }]);
  const other = documentsOf([{ id: 'a', n: 1.25 }, { id: 'b' }]);
  expect(documents.list.etag).toMatch(/^"[\w-]+"$/);
  expect(same.list.etag).toBe(documents.list.etag);
  expect(other.list.etag).not.toBe(documents.list.etag);
  expect(other.of('a')?.etag).not.toBe(documents.of('a')?.etag);
  expect(other.of('b')?.etag).toBe(documents.of('b')?.etag);
});

test('RTE-28: they stay while list and aliases say the same', () => {
  const read = readModelList({ data: [{ id: 'a' }] });
  const list = read?.list ?? EMPTY_MODEL_LIST;
  const made = new ModelDocuments(list, ALIASES);
  expect(made.areOf(list, [{ id: 'auto', object: 'model' }])).toBe(true);
  expect(made.areOf(list, [{ id: 'auto', object: 'model', context_length: 1 }])).toBe(false);
  expect(made.areOf({ ...list }, ALIASES)).toBe(false);
});

describe('If-None-Match', () => {
  test.each<[header: string | undefined, isKnown: boolean]>([
    [undefined, false],
    ['', false],
    ['*', true],
    [' * ', true],
    ['"x"', true],
    ['W/"x"', true],
    ['"y", W/"x" , "z"', true],
    ['"y"', false],
    ['"y","xx"', false],
    ['x', false],
    ['"*"', false],
    ['"', false],
  ])('RTE-27: %j', (header, isKnown) => {
    expect(hasTag(header, '"x"')).toBe(isKnown);
  });
});
