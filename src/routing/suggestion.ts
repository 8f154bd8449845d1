import { closestMatch } from 'leven';

/** One wrong character in four: typing errors, not other models. */
const TOLERANCE = 0.25;

/** The catalog id that is meant, most likely: close to the name, or to the part behind the owner where the name has none. */
export function suggestionFor(name: string, ids: readonly string[]): string | undefined {
  const hasOwner = name.includes('/');
  const spelled = new Map(ids.map((id) => [(hasOwner ? id : withoutOwner(id)).toLowerCase(), id]));
  const tolerated = Math.max(2, Math.floor(name.length * TOLERANCE));
  // A short name that is half wrong is another name.
  const maxDistance = Math.min(tolerated, Math.ceil(name.length / 2) - 1);
  const closest = closestMatch(name.toLowerCase(), [...spelled.keys()], { maxDistance });
  return closest === undefined ? undefined : spelled.get(closest);
}

function withoutOwner(id: string): string {
  return id.slice(id.indexOf('/') + 1);
}
