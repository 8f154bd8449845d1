import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import * as fc from 'fast-check';
import { z } from 'zod';
import { valueFor } from './schema-value.js';

const ajv = new Ajv({ strict: false, validateFormats: false, logger: false });

function fits(schema: object, value: unknown): boolean {
  return ajv.validate(schema, value);
}

const NODE = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    children: { type: 'array', items: { $ref: '#/$defs/node' } },
    next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] },
  },
  required: ['name', 'children', 'next'],
  additionalProperties: false,
};

describe('a value that fits a schema', () => {
  test.each<[string, object]>([
    ['anything', {}],
    ['an object of all types', objectOf({ a: 'string', b: 'integer', c: 'number', d: 'boolean', e: 'null' })],
    ['a required property without a schema', { type: 'object', required: ['x'] }],
    ['a record', { type: 'object', additionalProperties: { type: 'number' }, minProperties: 3 }],
    ['a property of an awkward name', objectOf({ 'a b': 'integer', constructor: 'null' })],
    ['one of several', { enum: ['a', 'b'] }],
    ['a constant', { const: { deep: [1] } }],
    ['a text of some length', { type: 'string', minLength: 40, maxLength: 41 }],
    ['a short text', { type: 'string', maxLength: 2 }],
    ['no text', { type: 'string', maxLength: 0 }],
    ['a text of a pattern', { type: 'string', pattern: '^[a-z]{3}-\\d$' }],
    ['bounds', { type: 'integer', minimum: 5, maximum: 5 }],
    ['open bounds', { type: 'integer', exclusiveMinimum: 5, exclusiveMaximum: 7 }],
    ['a narrow range', { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 0.1 }],
    ['below zero', { type: 'integer', exclusiveMaximum: 0 }],
    ['a multiple', { type: 'integer', multipleOf: 7, minimum: 8 }],
    ['a union with null', { type: ['null', 'integer'], minimum: 3 }],
    ['a list of some length', { type: 'array', items: { type: 'integer' }, minItems: 3, uniqueItems: true }],
    ['different ones of few', { type: 'array', items: { enum: ['x', 'y'] }, minItems: 2, uniqueItems: true }],
    [
      'a list of bounded numbers',
      { type: 'array', items: { type: 'integer', maximum: 2, minimum: 1 }, minItems: 5 },
    ],
    ['an empty list', { type: 'array', items: { type: 'integer' }, maxItems: 0 }],
    ['the alternatives of one key', { anyOf: [{ type: 'null' }, { type: 'object', required: ['a'] }] }],
    ['alternatives beside properties', { ...objectOf({ a: 'string' }), anyOf: [{ required: ['b'] }] }],
    ['exactly one', { oneOf: [{ type: 'integer' }, { type: 'string' }] }],
    ['all of several', { allOf: [objectOf({ a: 'string' }), objectOf({ b: 'integer' })] }],
    ['definitions', { $ref: '#/$defs/a~1b', $defs: { 'a/b': objectOf({ x: 'string' }) } }],
    ['all of definitions', { allOf: [{ $ref: '#/$defs/a' }], $defs: { a: objectOf({ x: 'string' }) } }],
    ['a tree', { ...NODE, $defs: { node: NODE } }],
    ['a tree that may end', { $ref: '#/$defs/node', $defs: { node: NODE } }],
    ['a tree of itself', { type: 'object', properties: { child: { $ref: '#' } } }],
  ])('SIM-34: %s', (_, schema) => {
    expect([schema, valueFor(schema), fits(schema, valueFor(schema))]).toEqual([
      schema,
      expect.anything(),
      true,
    ]);
  });

  test('SIM-34: every optional property is there', () => {
    const schema = { type: 'object', properties: { a: { type: 'string' }, b: { enum: ['x'] } } };
    expect(valueFor(schema)).toEqual({ a: 'simulated a', b: 'x' });
  });

  test('SIM-34: what the helpers of clients write of Zod’s types', () => {
    const schema = z.object({
      id: z.uuid(),
      email: z.email(),
      site: z.url(),
      day: z.iso.date(),
      at: z.iso.datetime(),
      age: z.int().min(1).max(120),
      share: z.number().gt(0).lt(1),
      tags: z.array(z.string()).min(2),
      pair: z.tuple([z.string(), z.int()]),
      kind: z.discriminatedUnion('type', [
        z.object({ type: z.literal('a'), a: z.string() }),
        z.object({ type: z.literal('b'), b: z.int() }),
      ]),
      maybe: z.string().nullable(),
      rates: z.record(z.string(), z.number()),
      byDay: z.record(z.enum(['monday', 'tuesday']), z.int()),
    });
    const { error } = schema.safeParse(valueFor(z.toJSONSchema(schema)));
    expect(error).toBeUndefined();
  });

  test('SIM-34: made-up schemas', () => {
    fc.assert(
      fc.property(SCHEMAS, (schema) => {
        expect(fits(schema, valueFor(schema))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test.each<[string, unknown]>([
    ['nothing fits', false],
    ['a reference to nowhere', { $ref: '#/$defs/nobody' }],
    ['a reference to itself', { $ref: '#' }],
    ['all of itself', { allOf: [{ $ref: '#' }] }],
    ['required for ever', { type: 'object', required: ['a'], properties: { a: { $ref: '#' } } }],
    ['more than anyone reads', { type: 'array', minItems: 1e9, items: {} }],
    ['a text longer than memory', { type: 'string', minLength: 1e12 }],
    ['more properties than anyone reads', { type: 'object', minProperties: 1e12 }],
    ['a pattern that is none', { type: 'string', pattern: '(' }],
    ['no schema at all', 'text'],
    ['wrong types all over', { type: 7, properties: [], items: 'x', required: 'a', enum: {}, anyOf: 1 }],
    ['deeper than the stack', nested(20_000)],
    ['ever wider', bomb(40)],
  ])('SIM-34: ends and gives JSON where %s', (_, schema) => {
    expect(JSON.stringify(valueFor(schema)).length).toBeLessThan(500_000);
  });
});

function objectOf(types: Readonly<Record<string, string>>): object {
  const properties = Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type }]));
  return { type: 'object', properties, required: Object.keys(properties) };
}

function nested(depth: number): object {
  let schema: object = { type: 'string' };
  for (let n = 0; n < depth; n += 1) schema = { type: 'array', items: schema };
  return schema;
}

/** Each definition needs the next one twice. */
function bomb(size: number): object {
  const definition = (n: number) =>
    n === size
      ? { type: 'null' }
      : {
          type: 'object',
          required: ['a', 'b'],
          properties: { a: definitionOf(n + 1), b: definitionOf(n + 1) },
        };
  const definitions = Array.from({ length: size + 1 }, (_, n) => [`d${n}`, definition(n)] as const);
  return { ...definitionOf(0), $defs: Object.fromEntries(definitions) };
}

function definitionOf(n: number): object {
  return { $ref: `#/$defs/d${n}` };
}

const LENGTHS = fc.tuple(fc.nat(12), fc.nat(12)).map(([least, more]) => [least, least + more] as const);
const BOUNDS = fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 50 }));

const { schema: SCHEMAS } = fc.letrec<{ schema: object }>((tie) => ({
  schema: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom({}, { type: 'string' }, { type: 'boolean' }, { type: 'null' }, { type: 'number' }),
    LENGTHS.map(([minLength, maxLength]) => ({ type: 'string', minLength, maxLength })),
    BOUNDS.map(([minimum, range]) => ({ type: 'integer', minimum, maximum: minimum + range })),
    BOUNDS.map(([low, range]) => ({
      type: 'integer',
      exclusiveMinimum: low,
      exclusiveMaximum: low + range + 1,
    })),
    BOUNDS.map(([low, range]) => ({ type: 'number', exclusiveMinimum: low, exclusiveMaximum: low + range })),
    fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 4 }).map((choices) => ({ enum: choices })),
    fc.jsonValue().map((value) => ({ const: value })),
    fc.record({ type: fc.constant('array'), items: tie('schema'), minItems: fc.nat(3) }),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    fc.dictionary(fc.string(), fc.tuple(tie('schema'), fc.boolean()), { maxKeys: 4 }).map((properties) => ({
      type: 'object',
      properties: Object.fromEntries(Object.entries(properties).map(([name, [schema]]) => [name, schema])),
      required: Object.entries(properties).flatMap(([name, [, isRequired]]) => (isRequired ? [name] : [])),
      additionalProperties: false,
    })),
  ),
}));
