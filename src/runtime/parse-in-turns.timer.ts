import { type RowBatch, type RowLimits, RowScanner } from './row-scanner.js';

/** About how many bytes are parsed in one turn: a fraction of a millisecond. */
const SLICE = 32_768;
/** How many slices are looked through in one turn. */
const SCANNED_SLICES = 4;

/**
 * `JSON.parse` that lets others have their turns of the event loop while it is at a long array, which is the root or a member of
 * it. Nothing is made of a text before all of it is known to keep to the limits; a row that does not is `null`.
 *
 * @param each is given every row, whose array then stays empty: of many rows only those of a slice are in memory at a time.
 * @throws {SyntaxError} as `JSON.parse` does.
 * @throws {RangeError} with a message fit for a log line, if the text is past a limit.
 */
export async function parseInTurns(
  body: Buffer,
  limits: RowLimits,
  { slice = SLICE, each }: { slice?: number | undefined; each?: (row: unknown) => void } = {},
): Promise<unknown> {
  const scanner = new RowScanner(body, limits, slice);
  while (!scanner.isDone) {
    scanner.scan(slice * SCANNED_SLICES);
    await nextTurn();
  }
  const root = JSON.parse(scanner.skeleton) as unknown;
  for (const array of Array.isArray(root) ? [root] : Object.values(root ?? {}).filter(Array.isArray)) {
    const batches = scanner.arrays[(array as number[]).pop() ?? 0] ?? [];
    const rows = array as unknown[];
    await forEachRow(body, batches, each ?? ((row) => void rows.push(row)));
  }
  return root;
}

async function forEachRow(
  body: Buffer,
  batches: readonly RowBatch[],
  act: (row: unknown) => void,
): Promise<void> {
  for (const batch of batches) {
    const rows = rowsOf(body, batch);
    const isEmptyArray = rows.length === 0 && batch.rows === 1 && batches.length === 1;
    if (rows.length !== batch.rows && !isEmptyArray) throw new SyntaxError('A comma too many.');
    rows.forEach(act);
    await nextTurn();
  }
}

function rowsOf(body: Buffer, { from, to, isLeftOut }: RowBatch): readonly unknown[] {
  if (isLeftOut) return [null];
  return JSON.parse(`[${body.toString('utf8', from, to)}]`) as readonly unknown[];
}

export async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
