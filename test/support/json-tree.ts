/** A JSON value with its place in the text: of what `JSON.parse` forgets, the places and the repeated keys. */
export type JsonNode = { readonly start: number; readonly end: number } & (
  | { readonly kind: 'object'; readonly members: readonly JsonMember[] }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'scalar'; readonly value: string | number | boolean | null }
);

export interface JsonMember {
  readonly key: string;
  readonly value: JsonNode;
}

/** Tokens of a text that is known to be JSON; a string is one with its quotes. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** Places are in UTF-16 units. @param text that `JSON.parse` accepts, nested no deeper than the stack allows */
export function jsonTree(text: string): JsonNode {
  const tokens = Array.from(text.matchAll(TOKEN), (match) => ({ text: match[0], start: match.index }));
  let n = 0;
  return value();

  function value(): JsonNode {
    const { text: token, start } = tokens[n++] as (typeof tokens)[number];
    if (token === '{') {
      const members = until('}', member);
      return { kind: 'object', members, start, end: endOfLast() };
    }
    if (token === '[') {
      const items = until(']', value);
      return { kind: 'array', items, start, end: endOfLast() };
    }
    return { kind: 'scalar', value: JSON.parse(token) as string, start, end: start + token.length };
  }

  function member(): JsonMember {
    const key = JSON.parse((tokens[n] as { text: string }).text) as string;
    n += 2;
    return { key, value: value() };
  }

  function until<T>(closer: string, part: () => T): T[] {
    const parts: T[] = [];
    while (tokens[n]?.text !== closer) {
      parts.push(part());
      if (tokens[n]?.text === ',') n += 1;
    }
    n += 1;
    return parts;
  }

  function endOfLast(): number {
    return (tokens[n - 1]?.start ?? 0) + 1;
  }
}

/** The value of the last member of that name. */
export function memberOf(node: JsonNode | undefined, key: string): JsonNode | undefined {
  return node?.kind === 'object' ? node.members.findLast((member) => member.key === key)?.value : undefined;
}

/** The node and all that is in it. */
export function allNodes(node: JsonNode): JsonNode[] {
  switch (node.kind) {
    case 'object':
      return [node, ...node.members.flatMap(({ value }) => allNodes(value))];
    case 'array':
      return [node, ...node.items.flatMap(allNodes)];
    case 'scalar':
      return [node];
  }
}

/** What `JSON.parse` makes of it. */
export function plainValue(node: JsonNode): unknown {
  switch (node.kind) {
    case 'object':
      return Object.fromEntries(node.members.map(({ key, value }) => [key, plainValue(value)]));
    case 'array':
      return node.items.map(plainValue);
    case 'scalar':
      return node.value;
  }
}
