import { numberFor, textFor } from './schema-scalars.js';

type Schema = Readonly<Record<string, unknown>>;

/** What is more, or deeper, than this is `null`, whether it fits or not. */
const MAX_VALUES = 10_000;
const MAX_DEPTH = 200;

/**
 * A value that fits a JSON schema, the same for the same schema. Of the keywords it knows those that the helpers of
 * clients write: types, `enum`, `const`, properties, items, bounds, lengths, formats, `$ref`, `anyOf`, `oneOf`, `allOf`.
 * Of patterns it tries a few texts.
 */
export function valueFor(root: unknown): unknown {
  let left = MAX_VALUES;
  return valueOf(root, { name: 'value', place: 0, depth: 0, refs: [] });

  function valueOf(schema: unknown, outer: Place): unknown {
    left -= 1;
    if (left < 0 || outer.depth > MAX_DEPTH || schema === false) return null;
    const at = { ...outer, depth: outer.depth + 1 };
    if (!isSchema(schema)) return textFor({}, at.name, at.place);
    if ('const' in schema) return schema['const'];
    const { enum: choices, $ref: ref, allOf, anyOf, oneOf } = schema;
    if (isFilled(choices)) return choices[at.place % choices.length];
    if (typeof ref === 'string') {
      return valueOf(merged([without(schema, '$ref'), pointedAt(root, ref)]), {
        ...at,
        refs: [...at.refs, ref],
      });
    }
    if (isFilled(allOf)) {
      const refs = allOf.map(refOf).filter((one) => one !== undefined);
      const parts = allOf.map((part) => pointedAt(root, refOf(part)) ?? part);
      return valueOf(merged([without(schema, 'allOf'), ...parts]), { ...at, refs: [...at.refs, ...refs] });
    }
    if (isFilled(anyOf)) return valueOf(merged([without(schema, 'anyOf'), branchOf(anyOf, at)]), at);
    if (isFilled(oneOf)) return valueOf(merged([without(schema, 'oneOf'), branchOf(oneOf, at)]), at);
    switch (typeOf(schema, at)) {
      case 'object':
        return objectFor(schema, at);
      case 'array':
        return arrayFor(schema, at);
      case 'integer':
        return numberFor(schema, 1, at.place);
      case 'number':
        return numberFor(schema, undefined, at.place);
      case 'boolean':
        return at.place % 2 === 0;
      case 'null':
        return null;
      default:
        return textFor(schema, at.name, at.place);
    }
  }

  function objectFor(schema: Schema, at: Place): unknown {
    const properties = isSchema(schema['properties']) ? schema['properties'] : {};
    const other = schema['additionalProperties'];
    const names = new Set(listOf(schema['required']).map(String));
    if (!isDeep(at)) for (const name of Object.keys(properties)) names.add(name);
    const fewest = Number(schema['minProperties'] ?? (isSchema(other) && !isDeep(at) ? 1 : 0));
    for (let n = names.size; n < Math.min(fewest, MAX_VALUES); n += 1) names.add(`key_${n + 1}`);
    return Object.fromEntries(
      [...names].map((name) => [
        name,
        valueOf(Object.hasOwn(properties, name) ? properties[name] : (other ?? true), {
          ...at,
          name,
          place: 0,
        }),
      ]),
    );
  }

  function arrayFor(schema: Schema, at: Place): unknown[] {
    const { items, prefixItems, minItems, maxItems } = schema;
    const first = listOf(prefixItems);
    const wanted = Math.max(Number(minItems ?? (isDeep(at) ? 0 : 1)), first.length);
    const length = Math.min(wanted, Number(maxItems ?? wanted), items === false ? first.length : MAX_VALUES);
    return Array.from({ length }, (_, place) => valueOf(first[place] ?? items ?? true, { ...at, place }));
  }
}

interface Place {
  /** Of the property; text is made of it. */
  readonly name: string;
  /** In an array, so that its items differ. */
  readonly place: number;
  readonly depth: number;
  /** All `$ref`s on the way here. */
  readonly refs: readonly string[];
}

/** Inside a schema that refers to itself: from here on only what has to be there. */
function isDeep({ refs }: Place): boolean {
  return refs.length > new Set(refs).size;
}

function branchOf(branches: readonly unknown[], at: Place): unknown {
  if (!isDeep(at)) return branches.find((branch) => !isNull(branch)) ?? branches[0];
  return branches.find(isNull) ?? branches.find((branch) => !hasRef(branch)) ?? branches[0];
}

function isNull(schema: unknown): boolean {
  return isSchema(schema) && schema['type'] === 'null';
}

function hasRef(schema: unknown): boolean {
  return JSON.stringify(schema).includes('"$ref"');
}

function typeOf(schema: Schema, at: Place): unknown {
  const types = [schema['type']].flat();
  const type = types.find((one) => (one === 'null') === isDeep(at)) ?? types[0];
  if (type !== undefined) return type;
  if ('properties' in schema || 'required' in schema) return 'object';
  if ('items' in schema || 'prefixItems' in schema) return 'array';
  return 'minimum' in schema || 'maximum' in schema ? 'number' : 'string';
}

/** All of them at once, which is more than what a later one says of the same keyword: properties add up. */
function merged(schemas: readonly unknown[]): Schema {
  const all = schemas.filter(isSchema);
  const properties = Object.assign({}, ...all.map((schema) => schema['properties'])) as Schema;
  const required = all.flatMap((schema) => listOf(schema['required']));
  return {
    ...(Object.assign({}, ...all) as Schema),
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
    ...(required.length > 0 ? { required } : {}),
  };
}

function refOf(schema: unknown): string | undefined {
  return isSchema(schema) && typeof schema['$ref'] === 'string' ? schema['$ref'] : undefined;
}

/** @param ref such as `#/$defs/node`; undefined if there is nothing */
function pointedAt(root: unknown, ref: string | undefined): unknown {
  if (ref === undefined) return undefined;
  const names = ref
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  return names.reduce<unknown>(
    (value, name) => (typeof value === 'object' && value !== null ? (value as Schema)[name] : undefined),
    root,
  );
}

function without(schema: Schema, name: string): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== name));
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFilled(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
