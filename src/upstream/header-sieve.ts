import type { FlatHeaders } from './headers.js';

const REMEMBERED_LAYOUTS = 256;

/** The names of a message's headers, and where in the flat list those are that matter. */
interface Layout {
  readonly names: readonly string[];
  readonly passing: readonly number[];
  readonly connections: readonly number[];
}

/**
 * Lets those headers pass whose name does, less those that a `Connection` header names. Clients and servers send the same names
 * again and again, and to compare them with a layout that is known takes a fraction of what it takes to look up each.
 */
export class HeaderSieve {
  private readonly layouts: Layout[] = [];

  /** @param passes is asked about names in lower case. */
  constructor(private readonly passes: (name: string) => boolean) {}

  pass(raw: FlatHeaders): string[] {
    const headers: string[] = [];
    const { passing, connections } = this.layoutOf(raw);
    for (const at of passing) headers.push(raw[at] as string, raw[at + 1] as string);
    let named: string | undefined;
    for (const at of connections) {
      const value = raw[at + 1] as string;
      // What it mostly names is a hop-by-hop header anyway.
      if (value !== 'keep-alive') named = named ? `${named},${value}` : value;
    }
    return named ? without(headers, named) : headers;
  }

  private layoutOf(raw: FlatHeaders): Layout {
    const slot = slotOf(raw);
    const known = this.layouts[slot];
    if (known && hasNames(raw, known.names)) return known;
    const names = raw.filter((_, i) => i % 2 === 0);
    const lower = names.map((name) => name.toLowerCase());
    const layout = {
      names,
      passing: placesOf(lower, this.passes),
      connections: placesOf(lower, (name) => name === 'connection'),
    };
    this.layouts[slot] = layout;
    return layout;
  }
}

/** Clients can make up names, so there is only so much room. Other names mostly have other lengths. */
function slotOf(raw: FlatHeaders): number {
  let slot = 0;
  for (let i = 0; i < raw.length; i += 2) slot = (slot * 31 + (raw[i] as string).length) % REMEMBERED_LAYOUTS;
  return slot;
}

function hasNames(raw: FlatHeaders, names: readonly string[]): boolean {
  if (raw.length !== 2 * names.length) return false;
  for (let i = 0; i < names.length; i += 1) if (raw[2 * i] !== names[i]) return false;
  return true;
}

/** Where in the flat list the names are that are accepted. */
function placesOf(names: readonly string[], accepts: (name: string) => boolean): readonly number[] {
  return names.flatMap((name, i) => (accepts(name) ? [2 * i] : []));
}

function without(headers: FlatHeaders, connection: string): string[] {
  const named = new Set(connection.split(',').map((token) => token.trim().toLowerCase()));
  return headers.filter((_, i) => !named.has((headers[i - (i % 2)] as string).toLowerCase()));
}
