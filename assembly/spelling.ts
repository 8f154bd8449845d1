/**
 * How the string that is being read begins, so far as that matters: whether it spells a word, and whether it begins with
 * `data:`. Nearly every string is judged where it stands. The beginning of one that has an escape in it, or that is cut, is
 * gathered first.
 */

import { MAX_LENGTH, Place, Word, wordAt } from './words';

/** `data:`, its first letter lowest. */
const PREFIX: u64 = 0x3a61746164;
const PREFIX_LENGTH: i32 = 5;

/** Whether it is not known yet. */
export let isOpen: bool = false;
/** Whether the string begins with `data:`, once that is known. */
export let isDataUrl: bool = false;
let place: Place = Place.None;
/** After so many letters it is known. */
let most: i32 = 0;
const GATHERED: usize = memory.data(40, 8);
let gathered: i32 = 0;

/** @param where what a word means something that it may spell */
export function beginSpelling(where: Place): void {
  isOpen = true;
  isDataUrl = false;
  place = where;
  most = where == Place.None ? PREFIX_LENGTH : MAX_LENGTH + 1;
  gathered = 0;
}

/** The next bytes of a string that has not ended. */
export function spellBytes(from: usize, to: usize): void {
  if (gathered == 0 && to - from >= <usize>most) close(from);
  for (let at = from; at < to && isOpen; at += 1) spellUnit(load<u8>(at));
}

/** Its next UTF-16 unit; bytes outside ASCII may stand for themselves, since no word has any. */
export function spellUnit(unit: i32): void {
  if (!isOpen) return;
  const letter: u8 = unit < 128 ? <u8>unit : 0;
  store<u8>(GATHERED + <usize>gathered, letter);
  const isLikePrefix = ((PREFIX >> ((<u64>gathered) << 3)) & 0xff) == letter;
  gathered += 1;
  if (gathered == most || (place == Place.None && !isLikePrefix)) close(GATHERED);
}

function close(at: usize): void {
  isDataUrl = hasPrefix(at);
  isOpen = false;
}

/** Of a string that begins there. */
export function hasPrefix(at: usize): bool {
  return (load<u64>(at) & 0xffffffffff) == PREFIX;
}

/** @returns the word that the string spells, which has ended */
export function endSpelling(): Word {
  if (!isOpen) return Word.None;
  isDataUrl = gathered >= PREFIX_LENGTH && hasPrefix(GATHERED);
  return place == Place.None ? Word.None : wordAt(GATHERED, gathered, place);
}
