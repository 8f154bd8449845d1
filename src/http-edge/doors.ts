import type { BaseUrl, Config } from '../config/config.js';
import { type Dialect, dialectOf } from '../openai/dialect.js';
import { PROXIED_PATHS, ServedPaths } from '../openai/served-paths.js';

/** A proxied path: what its clients speak, and where it is sent. */
export interface Door {
  readonly path: string;
  readonly dialect: Dialect;
  readonly backend: BaseUrl;
  /** Whether a model answers. Chutes' proxy counts tokens by itself, so what becomes of a count says nothing about the model it names. */
  readonly generates: boolean;
}

/** The proxied paths whose upstream is not turned off. */
export class Doors {
  readonly open: readonly Door[];
  readonly served: ServedPaths;
  private readonly byPath: ReadonlyMap<string, Door>;

  constructor(backends: Config['backends']) {
    this.open = PROXIED_PATHS.flatMap((path) => {
      const dialect = dialectOf(path);
      const backend = backends[dialect];
      return backend ? [{ path, dialect, backend, generates: path !== '/v1/messages/count_tokens' }] : [];
    });
    this.byPath = new Map(this.open.map((door) => [door.path, door]));
    this.served = new ServedPaths([...this.byPath.keys()]);
  }

  /** @param path as it is registered, without a query */
  at(path: string): Door | undefined {
    return this.byPath.get(path);
  }

  /** Whether a path would be proxied, were it not turned off. */
  isShut(path: string): boolean {
    return !this.byPath.has(path) && (PROXIED_PATHS as readonly string[]).includes(path);
  }
}
