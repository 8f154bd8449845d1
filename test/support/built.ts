import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildRouter } from './process.ts';

/**
 * A module of the built router, for programs that Node runs without Jest: it cannot load those of `src/` itself.
 *
 * @param path below `src/`, with the ending `.js`; the type is that of the module's source
 */
export async function importBuilt<T>(path: string): Promise<T> {
  const main = await buildRouter();
  return (await import(pathToFileURL(join(dirname(main), path)).href)) as T;
}
