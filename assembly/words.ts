/** The words that mean something: names of keys, and values of `type` and `role`. A new word is a member of `Word` and a row below. */

/**
 * Those of the outermost object come first, since each has a place among the findings; those that begin a conversation or name
 * a session stand in the order in which they count.
 */
export const enum Word {
  None,
  Model,
  Stream,
  Tools,
  Functions,
  ResponseFormat,
  Text,
  Messages,
  Input,
  Prompt,
  MaxTokens,
  MaxCompletionTokens,
  MaxOutputTokens,
  PromptCacheKey,
  SessionId,
  Conversation,
  Metadata,
  // Keys of any object.
  Type,
  Role,
  Content,
  Data,
  InputAudio,
  Format,
  Id,
  UserId,
  // Values of `type`.
  JsonObject,
  JsonSchema,
  ImageUrl,
  InputImage,
  Image,
  VideoUrl,
  InputVideo,
  AudioUrl,
  File,
  InputFile,
  Document,
  Base64,
  ToolResult,
  FunctionCallOutput,
  CustomToolCallOutput,
  // Values of `role`.
  User,
  Tool,
  Function,
}

/** How many words there are for keys of the outermost object, `None` included. */
export const TOP_WORDS: i32 = <i32>Word.Metadata + 1;

/** In the order in which `src/catalog/abilities.ts` numbers them. */
export const enum Need {
  None = 0,
  Tools = 1,
  JsonMode = 2,
  StructuredOutputs = 4,
  Image = 8,
  Video = 16,
  Audio = 32,
  File = 64,
  /** Not a need of the request, but kept among them: its last element is a tool's result. */
  ToolResult = 256,
}

/** Where a word means something. */
export const enum Place {
  /** Nowhere. */
  None = 0,
  TopKey = 1,
  Key = 2,
  Type = 4,
  Role = 8,
}

export const MAX_LENGTH: i32 = 24;

/** The words' table, 32 bytes a word: its text, */
const ROWS: usize = memory.data(2048, 8);
/** its length, */
const LENGTH: usize = 24;
/** where it means something, */
const PLACES: usize = 25;
/** and what an object of this `type` needs. */
const NEEDS: usize = 26;
/** Which word is in which slot of the hash table; behind it, if its slot was taken. */
const SLOTS: usize = memory.data(256);

row(Word.Model, 'model', Place.TopKey);
row(Word.Stream, 'stream', Place.TopKey);
row(Word.Tools, 'tools', Place.TopKey);
row(Word.Functions, 'functions', Place.TopKey);
row(Word.ResponseFormat, 'response_format', Place.TopKey);
row(Word.Text, 'text', Place.TopKey);
row(Word.Messages, 'messages', Place.TopKey);
row(Word.Input, 'input', Place.TopKey);
row(Word.Prompt, 'prompt', Place.TopKey);
row(Word.MaxTokens, 'max_tokens', Place.TopKey);
row(Word.MaxCompletionTokens, 'max_completion_tokens', Place.TopKey);
row(Word.MaxOutputTokens, 'max_output_tokens', Place.TopKey);
row(Word.PromptCacheKey, 'prompt_cache_key', Place.TopKey);
row(Word.SessionId, 'session_id', Place.TopKey);
row(Word.Conversation, 'conversation', Place.TopKey);
row(Word.Metadata, 'metadata', Place.TopKey);
row(Word.Type, 'type', Place.Key | Place.TopKey);
row(Word.Role, 'role', Place.Key);
row(Word.Content, 'content', Place.Key);
row(Word.Data, 'data', Place.Key | Place.TopKey);
row(Word.InputAudio, 'input_audio', Place.Key | Place.TopKey | Place.Type, Need.Audio);
row(Word.Format, 'format', Place.Key);
row(Word.Id, 'id', Place.Key);
row(Word.UserId, 'user_id', Place.Key);
row(Word.JsonObject, 'json_object', Place.Type, Need.JsonMode);
row(Word.JsonSchema, 'json_schema', Place.Type, Need.StructuredOutputs);
row(Word.ImageUrl, 'image_url', Place.Type, Need.Image);
row(Word.InputImage, 'input_image', Place.Type, Need.Image);
row(Word.Image, 'image', Place.Type, Need.Image);
row(Word.VideoUrl, 'video_url', Place.Type, Need.Video);
row(Word.InputVideo, 'input_video', Place.Type, Need.Video);
row(Word.AudioUrl, 'audio_url', Place.Type, Need.Audio);
row(Word.File, 'file', Place.Type, Need.File);
row(Word.InputFile, 'input_file', Place.Type, Need.File);
row(Word.Document, 'document', Place.Type, Need.File);
row(Word.Base64, 'base64', Place.Type);
row(Word.ToolResult, 'tool_result', Place.Type);
row(Word.FunctionCallOutput, 'function_call_output', Place.Type);
row(Word.CustomToolCallOutput, 'custom_tool_call_output', Place.Type);
row(Word.User, 'user', Place.Role);
row(Word.Tool, 'tool', Place.Role);
row(Word.Function, 'function', Place.Role);

function row(word: Word, text: string, places: i32, need: i32 = Need.None): void {
  const at = rowOf(word);
  for (let n = 0; n < text.length; n += 1) store<u8>(at + <usize>n, <u8>text.charCodeAt(n));
  store<u8>(at, <u8>text.length, LENGTH);
  store<u8>(at, <u8>places, PLACES);
  store<u8>(at, <u8>need, NEEDS);
  let slot = slotOf(beginningOf(at, text.length));
  while (load<u8>(SLOTS + slot) != Word.None) slot = (slot + 1) & 255;
  store<u8>(SLOTS + slot, word);
}

function rowOf(word: Word): usize {
  return ROWS + ((<usize>word) << 5);
}

export function needOf(type: Word): i32 {
  return load<u8>(rowOf(type), NEEDS);
}

/** The word that is spelled there, if it means something in that place. Up to eight bytes behind it are read, too. */
export function wordAt(at: usize, length: i32, place: Place): Word {
  if (length == 0 || length > MAX_LENGTH) return Word.None;
  const beginning = beginningOf(at, length);
  let slot = slotOf(beginning);
  while (true) {
    const word: Word = load<u8>(SLOTS + slot);
    if (word == Word.None) return Word.None;
    const row = rowOf(word);
    const isIt = load<u8>(row, LENGTH) == length && beginningOf(row, length) == beginning;
    if (isIt && areRestsEqual(at, row, length)) return load<u8>(row, PLACES) & place ? word : Word.None;
    slot = (slot + 1) & 255;
  }
}

/** The first eight letters at most. */
function beginningOf(at: usize, length: i32): u64 {
  const unread: u64 = 8 * (8 - min(length, 8));
  return load<u64>(at) << unread;
}

function areRestsEqual(a: usize, b: usize, length: i32): bool {
  for (let n = 8; n < length; n += 1) {
    if (load<u8>(a + <usize>n) != load<u8>(b + <usize>n)) return false;
  }
  return true;
}

/** Fibonacci hashing: the top bits of a product with 2⁶⁴ divided by the golden ratio. */
function slotOf(beginning: u64): usize {
  return <usize>((beginning * 0x9e3779b97f4a7c15) >> 56);
}
