import { closestMatch } from 'leven';

/** One wrong character in four: typing errors, not other models. */
const TOLERANCE = 0.25;
/** Longer ones cannot be asked for; comparing them would take the longer, too. */
const MAX_SUGGESTED_CHARACTERS = 256;

/**
 * The name that is meant, most likely: case aside close to what was written, or to that without a `:suffix` or without
 * the owner, or to the part behind the owner where none was written. Of equally close ones the earlier.
 *
 * @param written at most a few hundred characters
 */
export function suggestionFor(written: string, names: readonly string[]): string | undefined {
  const spellings = new Set([written, written.replace(/:[^:]*$/, ''), withoutOwner(written)]);
  for (const spelling of spellings) {
    const closest = closestTo(spelling, names);
    if (closest !== undefined) return closest;
  }
  return undefined;
}

function closestTo(written: string, names: readonly string[]): string | undefined {
  const hasOwner = written.includes('/');
  const spelled = new Map<string, string>();
  for (const name of names) {
    const key = (hasOwner ? name : withoutOwner(name)).toLowerCase();
    if (name.length <= MAX_SUGGESTED_CHARACTERS && !spelled.has(key)) spelled.set(key, name);
  }
  const tolerated = Math.max(2, Math.floor(written.length * TOLERANCE));
  // A short name that is half wrong is another name.
  const maxDistance = Math.max(0, Math.min(tolerated, Math.ceil(written.length / 2) - 1));
  const wanted = written.toLowerCase();
  if (spelled.has(wanted)) return spelled.get(wanted);
  const closest = closestMatch(wanted, [...spelled.keys()], { maxDistance });
  return closest === undefined ? undefined : spelled.get(closest);
}

function withoutOwner(name: string): string {
  return name.slice(name.indexOf('/') + 1);
}
