import { ApiError } from '../openai/api-error.js';
import { scanJson } from './json-scanner.js';
import { areUtf8, lengthOf, slicePieces, textBetween } from './pieces.js';

/** What the router reads of a request body. */
export interface ModelField {
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
export function readModelField(pieces: readonly Buffer[]): ModelField {
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
  return { model: JSON.parse(textBetween(pieces, start, end)) as string, stream, start, end };
}

/** The pieces with `model` in place of the value of `field`; the client's own bytes are not copied. */
export function withModel(pieces: readonly Buffer[], field: ModelField, model: string): readonly Buffer[] {
  if (model === field.model) return pieces;
  return [
    ...slicePieces(pieces, 0, field.start),
    Buffer.from(JSON.stringify(model)),
    ...slicePieces(pieces, field.end, Infinity),
  ];
}
