import type { UpstreamFailure } from './error-response.js';

/** Why an attempt failed. Plain letters, digits and underscores, so that it can stand in a log line and a label as it is. */
export type FailureReason = UpstreamFailure | `upstream_${number}`;
