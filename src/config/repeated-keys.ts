const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;

/**
 * The keys that stand twice in one object, which `JSON.parse` passes over in silence: the last one counts there.
 *
 * @param json valid JSON
 */
export function repeatedKeys(json: string): readonly string[] {
  const repeated: string[] = [];
  /** Of the objects and arrays around, the outermost first. */
  const open: Set<string>[] = [];
  let text: string | undefined;
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === '{' || token === '[') open.push(new Set());
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') {
      const key = JSON.parse(text as string) as string;
      const keys = open.at(-1) as Set<string>;
      if (keys.has(key)) repeated.push(key);
      keys.add(key);
    } else text = token;
  }
  return repeated;
}
