import type { RequestNeeds } from '../catalog/abilities.js';
import { ApiError } from '../openai/api-error.js';
import { MAX_MODEL_BYTES } from '../openai/model-limit.js';
import { scanJson } from './json-scanner.factory.js';
import { areUtf8, lengthOf, slicePieces, textBetween } from './pieces.js';

/** As `\u0061`, six bytes stand for one. What is longer is not even decoded. */
const MAX_SPELLED_BYTES = 6 * MAX_MODEL_BYTES;

/** What a request body asks for, and where it says so. Places are in bytes, those of strings with their quotes. */
export interface Asked extends RequestNeeds {
  readonly model: string;
  /** Whether the last top-level `stream` is `true`. */
  readonly stream: boolean;
  /** Where the value of `model` begins and ends. */
  readonly start: number;
  readonly end: number;
  /** Whether the last element of `messages` or `input` is a tool's result. */
  readonly isToolResult: boolean;
  /**
   * Where the conversation's beginning is: `messages` or `input` up to the end of the first element of the user's, or as a whole
   * where it is a string, as `prompt` is; 0 and 0 without.
   */
  readonly conversationStart: number;
  readonly conversationEnd: number;
  /** Where the string is that names a session; 0 and 0 without. */
  readonly sessionStart: number;
  readonly sessionEnd: number;
}

/**
 * Validates a body as one JSON object in UTF-8 and finds what it asks for.
 * Throws `invalid_json`, `invalid_body`, `duplicate_model`, `missing_model` or, where the value of `model` is far too long,
 * `invalid_model`: the first of them that holds.
 *
 * @param pieces none of them empty
 */
export function readAsked(pieces: readonly Buffer[]): Asked {
  if (pieces.length === 0) throw ApiError.invalidJson('it is empty');
  if (!areUtf8(pieces)) throw ApiError.invalidJson('it is not valid UTF-8');

  const scanned = scanJson(pieces);
  const { problem, problemAt, isObject, models, isModelString, start, end } = scanned;
  switch (problem) {
    case 'unexpected': {
      throw ApiError.invalidJson(
        problemAt < lengthOf(pieces)
          ? `there is an unexpected character at byte ${problemAt}`
          : `it ends too early at byte ${problemAt}`,
      );
    }
    case 'bad escape':
      throw ApiError.invalidJson(`there is a bad escape at byte ${problemAt}`);
    case 'too deep':
      throw ApiError.invalidJson(`it is nested more than 1000 deep at byte ${problemAt}`);
    case undefined:
  }
  if (!isObject) throw ApiError.invalidBody();
  if (models > 1) throw ApiError.duplicateModel();
  if (models === 0 || !isModelString || end - start === 2) throw ApiError.missingModel();
  if (end - start - 2 > MAX_SPELLED_BYTES)
    throw ApiError.invalidModel(`is longer than ${MAX_MODEL_BYTES} bytes`);
  return {
    model: JSON.parse(textBetween(pieces, start, end)) as string,
    stream: scanned.stream,
    start,
    end,
    needs: scanned.needs,
    promptBytes: scanned.promptBytes,
    answerTokens: scanned.answerTokens,
    isToolResult: scanned.isToolResult,
    conversationStart: scanned.conversationStart,
    conversationEnd: scanned.conversationEnd,
    sessionStart: scanned.sessionStart,
    sessionEnd: scanned.sessionEnd,
  };
}

/** The session that the body names, if it does. */
export function sessionOf(
  pieces: readonly Buffer[],
  { sessionStart, sessionEnd }: Asked,
): string | undefined {
  return sessionEnd === 0 ? undefined : (JSON.parse(textBetween(pieces, sessionStart, sessionEnd)) as string);
}

/** The bytes that the conversation begins with, none of them copied; empty where there is no such beginning. */
export function conversationOf(
  pieces: readonly Buffer[],
  { conversationStart, conversationEnd }: Asked,
): readonly Buffer[] {
  return slicePieces(pieces, conversationStart, conversationEnd);
}

/** The pieces with `model` in place of the value of its own; the client's own bytes are not copied. */
export function withModel(pieces: readonly Buffer[], asked: Asked, model: string): readonly Buffer[] {
  if (model === asked.model) return pieces;
  return [
    ...slicePieces(pieces, 0, asked.start),
    Buffer.from(JSON.stringify(model)),
    ...slicePieces(pieces, asked.end, Infinity),
  ];
}
