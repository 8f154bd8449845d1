import { parseArgs } from 'node:util';
import { GROUPS } from './cases.ts';

/** What a run is told by flags and environment. */
export interface Options {
  /** A router that is running already, without `/v1` and a slash at the end. */
  readonly deployment: string | undefined;
  /** The bearer token of all requests. */
  readonly key: string;
  /** The folder that the router was built to, if it is not to be built. */
  readonly dist: string | undefined;
  /** Where the reports go. */
  readonly reports: string;
  /** Groups of cases that are left out. */
  readonly skip: ReadonlySet<string>;
}

/** @throws where a flag is unknown, or a group */
export function readOptions(
  flags: readonly string[],
  { SMOKE_BASE_URL: url, SMOKE_API_KEY: key }: Readonly<Record<string, string | undefined>>,
): Options {
  const { values } = parseArgs({
    args: [...flags],
    options: {
      dist: { type: 'string' },
      reports: { type: 'string', default: 'logs/smoke' },
      skip: { type: 'string', default: '' },
    },
  });
  const skip = values.skip.split(',').filter((group) => group !== '');
  const unknown = skip.filter((group) => !(group in GROUPS));
  if (unknown.length > 0) {
    throw new Error(`There is no group ${unknown.join(', ')}, only ${Object.keys(GROUPS).join(', ')}.`);
  }
  return {
    deployment: url ? url.replace(/\/(?:v1\/?)?$/, '') : undefined,
    key: key ? key : 'cpk_smoke',
    dist: values.dist,
    reports: values.reports,
    skip: new Set(skip),
  };
}
