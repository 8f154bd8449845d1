/** About how many characters are parsed in one turn: a fraction of a millisecond. */
const SLICE = 32_768;

/**
 * `JSON.parse` that lets others have their turns of the event loop while it is at a long array of objects.
 *
 * The array is cut between what look like two of its objects. A cut in the wrong place, within a string or deeper down,
 * leaves a slice that does not parse, since its quotes or brackets do not match; then the text is parsed as a whole.
 *
 * @throws {SyntaxError} as `JSON.parse` does.
 */
export async function parseInTurns(text: string, slice = SLICE): Promise<unknown> {
  const rows = text.length > slice ? insideOfArray(text) : undefined;
  if (rows === undefined) return JSON.parse(text) as unknown;
  const border = /\}\s*,(?=\s*\{)/g;
  const items: unknown[] = [];
  for (let start = 0; start < rows.length;) {
    border.lastIndex = start + slice;
    const end = border.test(rows) ? border.lastIndex : rows.length + 1;
    const part = parsed(`[${rows.slice(start, end - 1)}]`);
    if (!part) return JSON.parse(text) as unknown;
    items.push(...part);
    start = end;
    await nextTurn();
  }
  return items;
}

/** What stands between the brackets of an array. */
function insideOfArray(text: string): string | undefined {
  const opening = /^[ \t\n\r]*\[/.exec(text)?.[0];
  const end = text.lastIndexOf(']');
  if (opening === undefined || /[^ \t\n\r]/.test(text.slice(end + 1))) return undefined;
  return text.slice(opening.length, end);
}

function parsed(text: string): readonly unknown[] | undefined {
  try {
    return JSON.parse(text) as readonly unknown[];
  } catch {
    return undefined;
  }
}

export async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
