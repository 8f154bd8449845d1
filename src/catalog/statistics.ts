import { isObject } from './is-object.js';

/** What others measured of a model; `undefined` is unknown. */
export interface Figures {
  /** Seconds to the first token. */
  readonly ttftS: number | undefined;
  /** Tokens per second, after the first. */
  readonly tps: number | undefined;
}

/** A figure of a day, as `YYYY-MM-DD`; before the first one 0 of no day. */
interface Dated {
  figure: number;
  date: string;
}

/** The newest figures of one chute under one name. */
interface ChuteFigures {
  readonly chuteId: string | undefined;
  readonly ttftS: Dated;
  readonly tps: Dated;
}

/** So Chutes calls the chutes of others. */
const PRIVATE_NAME = '[private]';
const DATE = /^\d{4}-\d\d-\d\d/;

/** The newest figures there are of each chute, by its id and by its name. Nothing changes in it once it is read. */
export class Statistics {
  constructor(
    private readonly byChute: ReadonlyMap<string, readonly ChuteFigures[]>,
    private readonly byName: ReadonlyMap<string, readonly ChuteFigures[]>,
  ) {}

  /**
   * What counts for a model: the rows of its chute, and those of its name whose chute is nobody else's.
   *
   * @param isOthers whether a chute belongs to a model of the catalog
   */
  figuresOf(
    name: string,
    chuteId: string | undefined,
    isOthers: (chuteId: string) => boolean = () => false,
  ): Figures {
    const ttftS = none();
    const tps = none();
    const take = (rows: ChuteFigures) => {
      keepNewer(ttftS, rows.ttftS);
      keepNewer(tps, rows.tps);
    };
    // First its own: of two rows of one day the first counts.
    if (chuteId !== undefined) this.byChute.get(chuteId)?.forEach(take);
    for (const rows of this.byName.get(name) ?? []) {
      if (rows.chuteId === undefined || (rows.chuteId !== chuteId && !isOthers(rows.chuteId))) take(rows);
    }
    return { ttftS: ttftS.figure || undefined, tps: tps.figure || undefined };
  }
}

export const NO_STATISTICS = new Statistics(new Map(), new Map());

/** Reads `GET /invocations/stats/llm`, a row at a time: one for each chute and day. */
export class StatisticsReader {
  /** How many rows could be used, and how many could not. */
  count = 0;
  skipped = 0;
  private readonly byRow = new Map<string, ChuteFigures>();
  private readonly byChute = new Map<string, ChuteFigures[]>();
  private readonly byName = new Map<string, ChuteFigures[]>();

  /** A row without a chute and a name, without a date, or whose figures are no numbers, is skipped and counted. */
  take(row: unknown): void {
    const read = readRow(row);
    if (!read) {
      this.skipped += 1;
      return;
    }
    this.count += 1;
    if (read.ttftS <= 0 && read.tps <= 0) return;
    const { ttftS, tps } = this.figuresFor(read);
    keepNewer(ttftS, { figure: read.ttftS, date: read.date });
    keepNewer(tps, { figure: read.tps, date: read.date });
  }

  /** What was read so far. Nothing may be taken afterwards. */
  get statistics(): Statistics {
    return new Statistics(this.byChute, this.byName);
  }

  private figuresFor({ chuteId, name }: Row): ChuteFigures {
    const key = `${chuteId ?? ''}\n${name ?? ''}`;
    let figures = this.byRow.get(key);
    if (!figures) {
      figures = { chuteId, ttftS: none(), tps: none() };
      this.byRow.set(key, figures);
      if (chuteId !== undefined) add(this.byChute, chuteId, figures);
      if (name !== undefined && name !== PRIVATE_NAME) add(this.byName, name, figures);
    }
    return figures;
  }
}

interface Row {
  readonly chuteId: string | undefined;
  readonly name: string | undefined;
  readonly date: string;
  /** 0 is unknown. */
  readonly ttftS: number;
  readonly tps: number;
}

function readRow(row: unknown): Row | undefined {
  if (!isObject(row)) return undefined;
  const { date } = row;
  const chuteId = textIn(row['chute_id']);
  const name = textIn(row['name']);
  if ((chuteId ?? name) === undefined || typeof date !== 'string' || !DATE.test(date)) return undefined;
  const ttftS = row['average_ttft'] ?? 0;
  const tps = row['average_tps'] ?? 0;
  if (!isFinite(ttftS) || !isFinite(tps)) return undefined;
  return { chuteId, name, date: date.slice(0, 10), ttftS, tps };
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isFinite(value: unknown): value is number {
  return Number.isFinite(value);
}

function none(): Dated {
  return { figure: 0, date: '' };
}

/** What is not above 0 is unknown. */
function keepNewer(known: Dated, { figure, date }: Readonly<Dated>): void {
  if (figure <= 0 || date <= known.date) return;
  known.figure = figure;
  known.date = date;
}

function add<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

const DAY_MS = 86_400_000;
const DAYS = 2;

/**
 * The URL with a `start_date` two days ago, in UTC: today's figures may not be there yet, and yesterday's not whole. A URL
 * that has a query stays as it is.
 *
 * @param nowMs Unix milliseconds
 */
export function withStartDate(url: URL, nowMs: number): URL {
  if (url.search !== '') return url;
  const since = new URL(url);
  since.searchParams.set('start_date', new Date(nowMs - DAYS * DAY_MS).toISOString().slice(0, 10));
  return since;
}
