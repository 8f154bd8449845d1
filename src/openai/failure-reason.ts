import type { UpstreamFailure } from './error-response.js';

/** Why an answer of the upstream's own is not relayed while another candidate is left; never an error that a client gets. */
export type AnswerFailure = 'upstream_broken_body' | 'upstream_empty_answer' | 'upstream_error_event';

/** Why an attempt failed. Plain letters, digits and underscores, so that it can stand in a log line and a label as it is. */
export type FailureReason = UpstreamFailure | AnswerFailure | `upstream_${number}`;
