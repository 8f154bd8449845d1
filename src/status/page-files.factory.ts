import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';

/** A file of the page as it is sent, however often. */
export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
  /** A strong one, with its quotes. */
  readonly etag: string;
}

/** Injection token of the files by name. */
export const PAGE_FILES = Symbol('PageFiles');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

/** Reads the page into memory, once. Beside this file, in the sources as in the build. */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const folder = new URL('page/', import.meta.url);
  const names = readdirSync(folder).filter((name) => extname(name) in TYPES);
  return new Map(
    names.map((name) => {
      const body = readFileSync(new URL(name, folder));
      const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
      return [name, { type: TYPES[extname(name)] as string, body, etag }];
    }),
  );
}
