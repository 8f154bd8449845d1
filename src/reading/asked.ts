import type { RequestNeeds } from '../catalog/abilities.js';
import { ApiError } from '../openai/api-error.js';
import { scanJson } from './json-scanner.factory.js';
import { areUtf8, lengthOf, slicePieces, textBetween } from './pieces.js';

/** What a request body asks for, and where it says so. */
export interface Asked extends RequestNeeds {
  readonly model: string;
  /** Whether the last top-level `stream` is `true`. */
  readonly stream: boolean;
  /** Where the value of `model` begins and ends, in bytes and with its quotes. */
  readonly start: number;
  readonly end: number;
}

/**
 * Validates a body as one JSON object in UTF-8 and finds its top-level `model` and `stream`.
 * Throws `invalid_json`, `invalid_body`, `duplicate_model` or `missing_model`: the first of them that holds.
 *
 * @param pieces none of them empty
 */
export function readAsked(pieces: readonly Buffer[]): Asked {
  if (pieces.length === 0) throw ApiError.invalidJson('it is empty');
  if (!areUtf8(pieces)) throw ApiError.invalidJson('it is not valid UTF-8');

  const { problem, problemAt, isObject, models, isModelString, start, end, stream } = scanJson(pieces);
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
  return {
    model: JSON.parse(textBetween(pieces, start, end)) as string,
    stream,
    start,
    end,
    needs: 0,
    promptBytes: 0,
    answerTokens: 0,
  };
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
