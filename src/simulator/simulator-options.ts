import { parseArgs } from 'node:util';
import type { TlsOptions } from './listener.js';
import type { Pace } from './faults/perform.js';
import { CATALOGS, type CatalogMonth } from './feeds/model-table.js';

export interface SimulatorOptions {
  /** Decides models, prices, utilization and answers. Default 1. */
  readonly seed?: number;
  /** Which month's models, with what they can do. Default `2026-02`. */
  readonly catalog?: CatalogMonth;
  /** Default: no waiting, answers as long as their sentences. */
  readonly pace?: Partial<Pace>;
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Speaks TLS. */
  readonly tls?: TlsOptions;
  /** Answers 429 with nginx's page to generations without an `Authorization`. Default false. */
  readonly requireAuth?: boolean;
  /** How long the utilization stays the same; milliseconds, default 60 000. */
  readonly tickMs?: number;
  /** Whether the model list ends with the `sim/…` ids. Default true; they work in any case. */
  readonly simModels?: boolean;
  /** How many requests are kept at most; 0 keeps none. Default 1000. */
  readonly keepRequests?: number;
  /** How many bytes of bodies are kept at most. Default 64 MiB. */
  readonly keepBytes?: number;
}

const NUMBERS = ['port', 'seed', 'first-token-ms', 'token-ms', 'tokens', 'tick-ms'] as const;
/** What the stand-alone simulator may be told: as `--first-token-ms 300` or as `SIMULATOR_FIRST_TOKEN_MS=300`. */
const FLAGS = {
  host: { type: 'string' },
  port: { type: 'string' },
  seed: { type: 'string' },
  catalog: { type: 'string' },
  'first-token-ms': { type: 'string' },
  'token-ms': { type: 'string' },
  tokens: { type: 'string' },
  'tick-ms': { type: 'string' },
  'require-auth': { type: 'boolean' },
} as const;
const DEFAULT_PORT = 8090;
export const DEFAULT_CATALOG: CatalogMonth = '2026-02';

/**
 * Reads flags and environment; a flag wins over its variable.
 *
 * @throws one error that names every problem
 */
export function readSimulatorOptions(
  flags: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): SimulatorOptions {
  const { values } = parseArgs({ args: [...flags], options: FLAGS });
  const given = (name: keyof typeof FLAGS) => {
    const value = values[name] ?? env[`SIMULATOR_${name.replaceAll('-', '_').toUpperCase()}`];
    return value === undefined || value === '' ? undefined : String(value);
  };
  const wrong = NUMBERS.filter((name) => !/^\d{1,9}$/.test(given(name) ?? '0'));
  const catalog = given('catalog') ?? DEFAULT_CATALOG;
  const problems = [
    ...(wrong.length > 0 ? [`Must be a decimal integer: ${wrong.join(', ')}.`] : []),
    ...(isCatalogMonth(catalog) ? [] : [`Must be one of ${Object.keys(CATALOGS).join(', ')}: catalog.`]),
  ];
  if (problems.length > 0 || !isCatalogMonth(catalog)) throw new Error(problems.join(' '));
  const number = (name: (typeof NUMBERS)[number], otherwise: number) => Number(given(name) ?? otherwise);
  return {
    host: given('host') ?? '127.0.0.1',
    port: number('port', DEFAULT_PORT),
    seed: number('seed', 1),
    catalog,
    tickMs: Math.max(1, number('tick-ms', 60_000)),
    requireAuth: given('require-auth') === 'true',
    keepRequests: 0,
    pace: {
      firstTokenMs: number('first-token-ms', 300),
      tokenMs: number('token-ms', 25),
      ...(given('tokens') === undefined ? {} : { tokens: number('tokens', 0) }),
    },
  };
}

function isCatalogMonth(text: string): text is CatalogMonth {
  return Object.hasOwn(CATALOGS, text);
}
