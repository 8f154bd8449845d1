import { createHash } from 'node:crypto';
import type { ModelList } from '../catalog/model-list.js';

export type ModelEntry = Readonly<Record<string, unknown>> & { readonly id: string };

/** An answer as it is sent, however often. */
export interface JsonDocument {
  readonly body: Buffer;
  /** A strong one, with its quotes. */
  readonly etag: string;
}

/**
 * The answers about one model list, each made when it is first asked for: to serialise the whole list takes most of a
 * millisecond, and answers that clients have not taken yet are all in the same memory.
 */
export class ModelDocuments {
  private whole: JsonDocument | undefined;
  private readonly single = new Map<string, JsonDocument>();

  /** @param aliases precede the catalog's own entries, and win against one of the same id. */
  constructor(
    private readonly models: ModelList,
    private readonly aliases: readonly ModelEntry[],
  ) {}

  /** Whether they say just this. */
  areOf(models: ModelList, aliases: readonly ModelEntry[]): boolean {
    return models === this.models && JSON.stringify(aliases) === JSON.stringify(this.aliases);
  }

  get list(): JsonDocument {
    if (this.whole) return this.whole;
    const data = [...this.aliases, ...this.models.models.map(({ entry }) => entry)];
    this.whole = documentOf({ object: 'list', data });
    return this.whole;
  }

  /** @returns `undefined` for an id that is neither an alias's nor a model's. */
  of(id: string): JsonDocument | undefined {
    const known = this.single.get(id);
    if (known) return known;
    const entry = this.aliases.find((alias) => alias.id === id) ?? this.models.byId.get(id)?.entry;
    if (!entry) return undefined;
    const made = documentOf(entry);
    this.single.set(id, made);
    return made;
  }
}

function documentOf(value: unknown): JsonDocument {
  const body = Buffer.from(JSON.stringify(value));
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
}
