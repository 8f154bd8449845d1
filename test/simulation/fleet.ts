import { readFileSync } from 'node:fs';

/** A figure over three lengths of time that end with the capture. */
export interface Averages {
  readonly m5: number;
  readonly m15: number;
  readonly h1: number;
}

/** What is known of a model: a row of `testdata/fleet.csv`. */
export interface ModelFacts {
  readonly id: string;
  readonly instances: number;
  /** How many more may be started. */
  readonly startable: number;
  /** 1: all slots of all instances. */
  readonly use: Averages;
  /** Which part of the requests was refused for want of room. */
  readonly refused: Averages;
  readonly requestsPerMinute: number;
}

export type Fleet = readonly ModelFacts[];

const TABLE = 'testdata/fleet.csv';
/** Columns behind the name. */
const FIGURES = 9;
const FOURTEEN = 14;

export function readFleet(): Fleet {
  const [, ...lines] = readFileSync(TABLE, 'utf8').trim().split('\n');
  return lines.map(factsIn);
}

function factsIn(line: string): ModelFacts {
  const [id = '', ...cells] = line.split(',');
  const figures = cells.map(Number);
  if (figures.length !== FIGURES || figures.some(Number.isNaN))
    throw new Error(`${TABLE} has an odd line: ${line}`);
  const figure = (n: number) => figures[n] as number;
  const averages = (n: number): Averages => ({ m5: figure(n), m15: figure(n + 1), h1: figure(n + 2) });
  return {
    id,
    instances: figure(0),
    startable: figure(1),
    use: averages(2),
    refused: averages(5),
    requestsPerMinute: figure(8),
  };
}

/** Fleets to simulate, made of the captured one. */
export const FLEETS = {
  captured: (all: Fleet) => all,
  /** Without the one model that has a sixth of all instances. */
  'without the giant': (all: Fleet) =>
    all.filter(({ instances }) => instances < Math.max(...all.map((one) => one.instances))),
  /** As many as the catalog of August 2026 has, and like it confidential: those with the most instances. */
  'of 14': (all: Fleet) =>
    all
      .filter(({ id }) => id.endsWith('-TEE'))
      .toSorted((a, b) => b.instances - a.instances)
      .slice(0, FOURTEEN),
} as const satisfies Readonly<Record<string, (all: Fleet) => Fleet>>;

export type FleetName = keyof typeof FLEETS;
