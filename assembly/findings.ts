/**
 * What is found in a text: what stands at the known keys of the outermost object, what the request needs, and how many of its
 * bytes are prompt. The scanner says what it meets; what that means is judged here, by where it stands. All places are in
 * bytes from the beginning of the text.
 */

import { CLOSE_BRACKET, QUOTE, T } from './bytes';
import { Need, needOf, TOP_WORDS, Word } from './words';

/** Where `writeFindings` puts what was found: numbers of 32 bits, which `src/reading/json-scanner.factory.ts` reads in this order. */
export const FOUND: usize = memory.data(64, 4);

export const MAX_DEPTH: i32 = 1000;

/** What is known of each open container, 16 bytes each: */
const LEVELS: usize = memory.data(16032, 8);
/** the byte that closes it, */
const CLOSER: usize = 0;
/** the word at whose key it stands, */
const KEY: usize = 1;
/** what an object's last `type` and `role` spell, */
const TYPE: usize = 2;
const ROLE: usize = 3;
/** how long the string is at its last `data`, */
const DATA: usize = 4;
/** and what its last other key spells, which nobody asks for. */
const OTHER: usize = 8;

/** What is known of the last value at each known key of the outermost object, 32 bytes each: */
const VALUES: usize = memory.data(544, 8);
/** where it begins and ends, */
const START: usize = 0;
const END: usize = 4;
const FIRST_BYTE: usize = 8;
/** what it needs, */
const NEEDS: usize = 12;
/** and where the part of it is that tells one conversation or session from another; both 0 where there is none. */
const PART_START: usize = 16;
const PART_END: usize = 20;
/** A limit of tokens. */
const TOKENS: usize = 24;

const FORMATS: i32 = Need.JsonMode | Need.StructuredOutputs;
const MEDIA: i32 = Need.Image | Need.Video | Need.Audio | Need.File;

/** How many containers are open. */
export let depth: i32 = 0;
/** The known word at whose key the value stands that is read, or comes next. What is in an array stands at none. */
export let key: Word = Word.None;
/** The same of the value of the outermost object that is read, or that what is read stands in. */
let top: Word = Word.None;
/** Whether that is `messages` or `input`. */
let isConversation: bool = false;
/** A bit for each of these that was met. */
let met: i32 = 0;
let models: i32 = 0;
let mediaBytes: i32 = 0;

export function beginFindings(): void {
  depth = 0;
  key = Word.None;
  top = Word.None;
  isConversation = false;
  met = 0;
  models = 0;
  mediaBytes = 0;
}

function level(n: i32): usize {
  return LEVELS + ((<usize>n) << 4);
}

function valueOf(word: Word): usize {
  return VALUES + ((<usize>word) << 5);
}

/** The byte that closes the innermost container. */
export function closer(): u8 {
  return load<u8>(level(depth), CLOSER);
}

/** @param byte that closes it */
export function openContainer(byte: u8): void {
  depth += 1;
  store<u64>(level(depth), (<u64>byte) | ((<u64>key) << 8));
  key = Word.None;
}

/** @param at behind its last byte */
export function closeContainer(byte: u8, at: i32): void {
  if (byte != CLOSE_BRACKET) closeObject(at);
  depth -= 1;
  key = Word.None;
}

export function endKey(word: Word): void {
  key = word;
  if (depth != 1) return;
  top = <i32>word < TOP_WORDS ? word : Word.None;
  isConversation = top == Word.Messages || top == Word.Input;
}

/** A value of the outermost object, or one directly in one of these. */
export function beginOuterValue(at: i32, byte: u8): void {
  if (top == Word.None) return;
  if (depth == 1) beginTopValue(at, byte);
  else if (isInList(3)) beginElement();
}

/** A value that is no string: of several equal keys of an object the last counts. */
export function forget(): void {
  if (key == Word.None) return;
  store<u8>(level(depth) + slotOf(key), Word.None);
  if (key == Word.Data) store<i32>(level(depth), 0, DATA);
  if (depth == 2) forgetMember();
}

function slotOf(word: Word): usize {
  return word == Word.Type ? TYPE : word == Word.Role ? ROLE : OTHER;
}

/** What stood at the same key of a value of the outermost object. */
function forgetMember(): void {
  if (key == Word.Format && top == Word.Text) dropNeeds(FORMATS);
  else if (namesSession()) setPart(0, 0);
}

function beginTopValue(at: i32, byte: u8): void {
  met |= 1 << top;
  const value = valueOf(top);
  store<i32>(value, at, START);
  store<i32>(value, byte, FIRST_BYTE);
  store<i32>(value, 0, NEEDS);
  store<i32>(value, 0, TOKENS);
  setPart(0, 0);
}

function beginElement(): void {
  if (top == Word.Tools || top == Word.Functions) addNeeds(Need.Tools);
  // Of the last element alone is it asked whether it is a tool's result.
  else if (isConversation) dropNeeds(Need.ToolResult);
}

/**
 * @param word that it spells
 * @param start of its opening quote
 * @param end behind its closing quote
 */
export function endString(word: Word, isDataUrl: bool, start: i32, end: i32): void {
  const length = end - start - 2;
  if (isDataUrl) mediaBytes += length;
  store<u8>(level(depth) + slotOf(key), word);
  if (key == Word.Data) store<i32>(level(depth), isDataUrl ? 0 : length, DATA);
  if (depth == 2) forgetMember();
  if (depth <= 2 && length > 0 && (depth == 1 ? isPart() : namesSession())) setPart(start, end);
}

/** Whether a string at the key tells a conversation or a session from others. */
function isPart(): bool {
  return (
    (key >= Word.Messages && key <= Word.Prompt) || (key >= Word.PromptCacheKey && key <= Word.Conversation)
  );
}

/** Whether the number that is read limits the tokens of the answer. */
export function isLimit(): bool {
  return depth == 1 && top >= Word.MaxTokens && top <= Word.MaxOutputTokens;
}

/** Of the number that is read. */
export function endLimit(tokens: i32): void {
  store<i32>(valueOf(top), tokens, TOKENS);
}

/** @param at behind its last byte */
export function endValue(at: i32): void {
  if (depth != 1 || top == Word.None) return;
  store<i32>(valueOf(top), at, END);
  if (top == Word.Model) models += 1;
}

function closeObject(at: i32): void {
  const here = level(depth);
  const type: Word = load<u8>(here, TYPE);
  if (isConversation && depth == 3) closeElement(here, at);
  if (type == Word.Base64 || load<u8>(here, KEY) == Word.InputAudio) mediaBytes += load<i32>(here, DATA);
  if (type == Word.None || depth < 2) return;
  if (isConversation) addNeeds((needOf(type) & MEDIA) | (isToolResult(type) ? Need.ToolResult : 0));
  else if (isFormat(here)) addNeeds(needOf(type) & FORMATS);
}

function closeElement(here: usize, at: i32): void {
  const role: Word = load<u8>(here, ROLE);
  if (role == Word.None || !isInList(3)) return;
  if (role != Word.User) addNeeds(Need.ToolResult);
  else if (load<i32>(valueOf(top), PART_END) == 0) setPart(load<i32>(valueOf(top), START), at);
}

/** Whether an object of this `type` makes an element a tool's result: the element itself, or a block of its content. */
function isToolResult(type: Word): bool {
  if (type != Word.ToolResult) {
    const isOutput = type == Word.FunctionCallOutput || type == Word.CustomToolCallOutput;
    return isOutput && depth == 3 && isInList(3);
  }
  return depth == 5 && isInList(5) && load<u8>(level(4), KEY) == Word.Content && isInList(3);
}

/** Whether the container that is the n-th from the outside stands in an array. */
function isInList(n: i32): bool {
  return load<u8>(level(n - 1), CLOSER) == CLOSE_BRACKET;
}

/** Whether it is `response_format` or `text.format`. */
function isFormat(here: usize): bool {
  if (top == Word.ResponseFormat) return depth == 2;
  return top == Word.Text && depth == 3 && load<u8>(here, KEY) == Word.Format;
}

/** Whether what stands at the key is `conversation.id` or `metadata.user_id`. */
function namesSession(): bool {
  return (key == Word.Id && top == Word.Conversation) || (key == Word.UserId && top == Word.Metadata);
}

function addNeeds(needs: i32): void {
  const value = valueOf(top);
  store<i32>(value, load<i32>(value, NEEDS) | needs, NEEDS);
}

function dropNeeds(needs: i32): void {
  const value = valueOf(top);
  store<i32>(value, load<i32>(value, NEEDS) & ~needs, NEEDS);
}

function setPart(start: i32, end: i32): void {
  const value = valueOf(top);
  store<i32>(value, start, PART_START);
  store<i32>(value, end, PART_END);
}

/** @param bytes of the whole text */
export function writeFindings(bytes: i32): void {
  let needs = 0;
  for (let rest = met; rest != 0; rest &= rest - 1) needs |= load<i32>(valueOf(ctz(rest)), NEEDS);
  put(3, models);
  put(4, found(Word.Model, START));
  put(5, found(Word.Model, END));
  put(6, found(Word.Model, FIRST_BYTE) == QUOTE);
  put(7, found(Word.Stream, FIRST_BYTE) == T);
  put(8, needs & ~Need.ToolResult);
  put(9, (needs & Need.ToolResult) != 0);
  put(10, bytes - mediaBytes);
  put(
    11,
    max(
      found(Word.MaxTokens, TOKENS),
      max(found(Word.MaxCompletionTokens, TOKENS), found(Word.MaxOutputTokens, TOKENS)),
    ),
  );
  putPart(12, firstWithPart(Word.Messages, Word.Prompt));
  putPart(14, firstWithPart(Word.PromptCacheKey, Word.Metadata));
}

/** 0 where the outermost object has no such key. */
function found(word: Word, field: usize): i32 {
  return (met >> word) & 1 ? load<i32>(valueOf(word) + field) : 0;
}

/** @param first of a row of words, in the order in which they count */
function firstWithPart(first: Word, last: Word): Word {
  for (let word: i32 = first; word < last; word += 1) if (found(word, PART_END) != 0) return word;
  return last;
}

function putPart(n: i32, word: Word): void {
  put(n, found(word, PART_START));
  put(n + 1, found(word, PART_END));
}

/** The first three are the scanner's own. */
export function put(n: i32, value: i32): void {
  store<i32>(FOUND + ((<usize>n) << 2), value);
}
