import { parseArgs } from 'node:util';

export interface Options {
  readonly seeds: readonly number[];
  /** How long a scenario without trouble is measured. */
  readonly minutes: number;
  readonly isAll: boolean;
  /** What the titles of the scenarios have to contain. */
  readonly only: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly reports: string;
}

/** Parameters were chosen on seeds from 1 on: these have not been looked at meanwhile. */
const SEEDS = '101-102';

/** @throws {Error} that says what is wrong */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      all: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      minutes: { type: 'string', default: '10' },
      seeds: { type: 'string', default: SEEDS },
      set: { type: 'string', multiple: true, default: [] },
      reports: { type: 'string', default: 'logs/simulation' },
    },
  });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error('Use --minutes 10, a number above 0.');
  const { all: isAll, only, reports } = values;
  return { seeds: seedsIn(values.seeds), minutes, isAll, only, reports, settings: settingsIn(values.set) };
}

function seedsIn(text: string): readonly number[] {
  const [, from, to] = /^(\d+)-(\d+)$/.exec(text) ?? [];
  const seeds =
    from !== undefined && to !== undefined
      ? Array.from({ length: Number(to) - Number(from) + 1 }, (_, n) => Number(from) + n)
      : text.split(',').map(Number);
  if (seeds.length > 0 && seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0)) return seeds;
  throw new Error('Use --seeds 101-105 or --seeds 1,2,3, whole numbers.');
}

function settingsIn(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(pair) ?? [];
      if (name === undefined || value === undefined) throw new Error('Use --set COOLDOWN_MS=30000.');
      return [name, value];
    }),
  );
}
