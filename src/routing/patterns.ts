/**
 * By which of the patterns an id is given.
 *
 * @param patterns `*` stands for any characters; one with `!` in front takes away what those before it gave
 * @returns the place of the pattern; −1 if it is not given, or was taken away again.
 */
export function givenBy(patterns: readonly string[], id: string): number {
  let given = -1;
  patterns.forEach((pattern, place) => {
    if (pattern.startsWith('!')) {
      if (given !== -1 && matches(pattern.slice(1), id)) given = -1;
    } else if (given === -1 && matches(pattern, id)) {
      given = place;
    }
  });
  return given;
}

/** In linear time: of what stands between stars, each is looked for as far to the left as it can be. */
function matches(pattern: string, id: string): boolean {
  const [first = '', ...others] = pattern.split('*');
  const last = others.pop();
  if (last === undefined) return pattern === id;
  if (!id.startsWith(first) || !id.endsWith(last)) return false;
  let at = first.length;
  for (const part of others) {
    const found = id.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= id.length - last.length;
}
