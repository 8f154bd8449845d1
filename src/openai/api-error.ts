// Long: each error has its own maker; it reads as a table.
import {
  type ErrorCode,
  type ErrorResponse,
  type ErrorType,
  type ReadinessCode,
  STATUS_OF_CODE,
  type UpstreamFailure,
} from './error-response.js';
import type { ShedReason } from './shed-reason.js';

interface Extras {
  param?: string;
  type?: ErrorType;
  headers?: Readonly<Record<string, string>>;
  /** Set where the rest of the request cannot or should not be read. */
  closesConnection?: boolean;
  shedFor?: ShedReason;
  details?: Readonly<Record<string, unknown>>;
  cause?: unknown;
}

const RETRY_AFTER = { 'retry-after': '1' };
const MAX_NAMED_ALIASES = 4;

/** A failure with its place in OpenAI's error shape. Made by name only; the message is safe to send. */
export class ApiError extends Error {
  readonly status: number;
  readonly type: ErrorType;
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly closesConnection: boolean;
  /** What there was no room for. */
  readonly shedFor: ShedReason | undefined;
  /** Goes beside `error` in the body: the component states of a readiness report. */
  readonly details: Readonly<Record<string, unknown>> | undefined;

  private constructor(
    readonly code: ErrorCode,
    message: string,
    { param, type, headers, closesConnection, shedFor, details, cause }: Extras = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ApiError';
    this.status = STATUS_OF_CODE[code];
    this.type = type ?? (this.status < 500 ? 'invalid_request_error' : 'server_error');
    this.param = param ?? null;
    this.headers = headers ?? {};
    this.closesConnection = closesConnection ?? false;
    this.shedFor = shedFor;
    this.details = details;
  }

  toBody(): ErrorResponse & { details?: Readonly<Record<string, unknown>> } {
    const { message, type, param, code, details } = this;
    return details
      ? { error: { message, type, param, code }, details }
      : { error: { message, type, param, code } };
  }

  static badRequest(message = 'The request is not valid HTTP.'): ApiError {
    return new ApiError('bad_request', message, { closesConnection: true });
  }

  static badPath(): ApiError {
    return new ApiError('bad_request', 'The path of the request cannot be decoded.');
  }

  static invalidJson(reason: string): ApiError {
    return new ApiError('invalid_json', `The request body is not valid JSON: ${reason}.`);
  }

  static invalidBody(): ApiError {
    return new ApiError('invalid_body', 'The request body must be a JSON object.');
  }

  static missingModel(): ApiError {
    return new ApiError('missing_model', 'The request body must have a "model" that is a non-empty string.', {
      param: 'model',
    });
  }

  static duplicateModel(): ApiError {
    return new ApiError('duplicate_model', 'The request body has more than one top-level "model".', {
      param: 'model',
    });
  }

  /** @param reason completes "The value of "model" …"; never the value itself. */
  static invalidModel(reason: string): ApiError {
    return new ApiError('invalid_model', `The value of "model" ${reason}.`, { param: 'model' });
  }

  static invalidModelList(reason: string): ApiError {
    return new ApiError('invalid_model_list', `The list of models in "model" ${reason}.`, { param: 'model' });
  }

  /**
   * @param unknown names that neither the catalog has nor an alias is, each with the closest one there is, if one is close
   * @param aliases named, the first few of them, where nothing is close
   */
  static unknownModel(
    unknown: readonly { id: string; suggestion: string | undefined }[],
    aliases: readonly string[],
  ): ApiError {
    const named = unknown.map(({ id, suggestion }) =>
      suggestion === undefined ? `"${id}"` : `"${id}" (did you mean "${suggestion}"?)`,
    );
    const sentences = [`Not in the model catalog: ${named.join(', ')}.`];
    if (unknown.some(({ suggestion }) => suggestion === undefined)) {
      const some = aliases.slice(0, MAX_NAMED_ALIASES).map((alias) => `"${alias}"`);
      if (some.length > 0) sentences.push(`To have a model chosen: ${some.join(', ')}.`);
      sentences.push('GET /v1/models lists every name.');
    }
    return new ApiError('unknown_model', sentences.join(' '), { param: 'model' });
  }

  /** @param words behind the alias's colon; there are none such. */
  static unknownVariant(words: string): ApiError {
    return new ApiError(
      'unknown_model',
      `There is no variant "${words}" of an alias. The words are capacity, latency, throughput, price (one of these), tee and spread.`,
      { param: 'model' },
    );
  }

  /**
   * @param missing the needs that models lack, each with how many do
   * @param models of how many
   */
  static noCapableModel(
    missing: readonly (readonly [need: string, models: number])[],
    models: number,
  ): ApiError {
    const needs = missing.map(([need, lacking]) => `${need} (${lacking} of ${models} do not have it)`);
    return new ApiError(
      'no_capable_model',
      `No model can do all that this request needs: ${needs.join(', ')}.`,
    );
  }

  static noCandidates(): ApiError {
    return new ApiError('no_candidates', 'No model has free capacity to choose from at the moment.');
  }

  /** @param alias as it is configured: nothing that a client made up */
  static emptyPool(alias: string): ApiError {
    return new ApiError(
      'no_candidates',
      `No model that runs at the moment is in the pool of ${JSON.stringify(alias)}: none is given by its patterns, its price and its context.`,
    );
  }

  static missingAllowlist(): ApiError {
    return new ApiError('missing_allowlist', 'The model catalog has not been loaded yet.');
  }

  static modelNotFound(): ApiError {
    return new ApiError('model_not_found', 'The model does not exist.', { param: 'model' });
  }

  static invalidNonce(): ApiError {
    return new ApiError(
      'invalid_nonce',
      'The query must have exactly one "nonce" of 64 hexadecimal characters.',
      {
        param: 'nonce',
      },
    );
  }

  static notConfidential(): ApiError {
    return new ApiError('not_confidential', 'The model does not run in a trusted execution environment.');
  }

  static notFound(message: string): ApiError {
    return new ApiError('not_found', message);
  }

  static methodNotAllowed(allowed: readonly string[]): ApiError {
    const allow = allowed.join(', ');
    return new ApiError('method_not_allowed', `This path serves ${allow} only.`, { headers: { allow } });
  }

  static requestTimeout(): ApiError {
    return new ApiError('request_timeout', 'The request did not arrive in time.', { closesConnection: true });
  }

  static requestTooLarge(maxBytes: number): ApiError {
    return new ApiError('request_too_large', `The request body is larger than ${maxBytes} bytes.`, {
      closesConnection: true,
    });
  }

  static unsupportedEncoding(): ApiError {
    return new ApiError('unsupported_encoding', 'A request body with a Content-Encoding is not supported.', {
      closesConnection: true,
    });
  }

  static expectationFailed(): ApiError {
    return new ApiError('expectation_failed', 'The only expectation supported is 100-continue.', {
      closesConnection: true,
    });
  }

  static headersTooLarge(): ApiError {
    return new ApiError('headers_too_large', 'The request headers are too large.', {
      closesConnection: true,
    });
  }

  static internal(cause?: unknown): ApiError {
    return new ApiError('internal_error', 'The router failed to handle the request.', { cause });
  }

  static overloaded(shedFor: ShedReason = 'upstream'): ApiError {
    return new ApiError('overloaded', 'The router is at its capacity, try again shortly.', {
      headers: RETRY_AFTER,
      shedFor,
    });
  }

  /** Another body would not fit into memory; this one is not read to its end. */
  static overloadedUpload(): ApiError {
    return new ApiError(
      'overloaded',
      'The router holds as many request bodies as it can, try again shortly.',
      {
        headers: RETRY_AFTER,
        closesConnection: true,
        shedFor: 'body',
      },
    );
  }

  static shuttingDown(): ApiError {
    return new ApiError('shutting_down', 'The router is shutting down, try again.', {
      headers: RETRY_AFTER,
      closesConnection: true,
    });
  }

  static upstream(failure: UpstreamFailure): ApiError {
    const message = UPSTREAM_MESSAGES[failure];
    return failure === 'upstream_header_timeout' || failure === 'upstream_first_body_byte_timeout'
      ? // OpenAI's clients retry a 504 by themselves; here every candidate has already been tried.
        new ApiError(failure, message, { headers: { 'x-should-retry': 'false' } })
      : new ApiError(failure, message);
  }

  /** For the error event that ends a stream which has begun. */
  static interrupted(
    code: 'upstream_stream_interrupted' | 'upstream_idle_timeout' | 'shutting_down',
  ): ApiError {
    return new ApiError(code, INTERRUPTION_MESSAGES[code]);
  }

  static notReady(code: ReadinessCode, details: Readonly<Record<string, unknown>>): ApiError {
    return new ApiError(code, READINESS_MESSAGES[code], { type: 'not_ready', details });
  }
}

const UPSTREAM_MESSAGES: Readonly<Record<UpstreamFailure, string>> = {
  upstream_connect_error: 'The upstream could not be reached.',
  upstream_empty_body: 'The upstream ended its answer before the first byte of the body.',
  upstream_first_body_byte_error: 'The upstream broke off before the first byte of the body.',
  upstream_first_body_byte_timeout: 'The upstream sent headers but no byte of the body in time.',
  upstream_header_timeout: 'The upstream did not answer in time.',
  upstream_invalid_response: 'The upstream sent something that is not a valid HTTP response.',
  upstream_reset: 'The upstream closed the connection without an answer.',
};

const INTERRUPTION_MESSAGES = {
  shutting_down: 'The router is shutting down; the answer is incomplete.',
  upstream_idle_timeout: 'The upstream went silent; the answer is incomplete.',
  upstream_stream_interrupted: 'The upstream broke off; the answer is incomplete.',
} as const;

const READINESS_MESSAGES: Readonly<Record<ReadinessCode, string>> = {
  allowlist_empty: 'The model list answers with no usable model.',
  missing_allowlist: 'No model list has been loaded yet.',
  missing_snapshot: 'No utilization has been loaded yet.',
  no_candidates: 'No model is eligible.',
  shutting_down: 'The router is shutting down.',
  stale_allowlist: 'The model list is older than allowed.',
  stale_snapshot: 'The ranking is older than allowed.',
};
