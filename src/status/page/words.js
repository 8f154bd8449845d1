/** Why a model is out. */
const REASONS = /** @type {Readonly<Record<string, string>>} */ ({
  no_instance: 'no instance runs',
  not_in_pool: 'not one of the alias',
  over_price: 'price above the limit, or unknown',
  context_too_small: 'context too small',
  not_confidential: 'not confidential',
});

/** Names of needs and abilities, as people say them. */
const NEEDS = /** @type {Readonly<Record<string, string>>} */ ({
  json_mode: 'JSON',
  structured_outputs: 'schemas',
  image: 'pictures',
  tee: 'confidentiality',
});

const FAILURES = /** @type {Readonly<Record<string, string>>} */ ({
  upstream_connect_error: 'no connection',
  upstream_reset: 'the connection was reset',
  upstream_invalid_response: 'the answer was not HTTP',
  upstream_header_timeout: 'nothing came in time',
  upstream_first_body_byte_timeout: 'no first byte came in time',
  upstream_first_body_byte_error: 'it broke before its first byte',
  upstream_empty_body: 'the answer was empty',
  upstream_empty_answer: 'the answer said nothing',
  upstream_error_event: 'the stream began with an error',
  upstream_broken_body: 'the answer broke',
});

const STATUSES = /** @type {Readonly<Record<string, string>>} */ ({
  400: 'it cannot do what was asked',
  402: 'its creator cannot pay for it',
  404: 'it is not there',
  426: 'it is not confidential',
  429: 'it is full',
  500: 'it has no instance that could answer',
  503: 'it is busy',
});

/** @param {string} need */
export function needWord(need) {
  return NEEDS[need] ?? need;
}

/** Why a model stands where it does, or does not stand at all. @param {string} why */
export function whyWord(why) {
  if (why.startsWith('lacks_')) return `lacks ${needWord(why.slice(6))}`;
  if (why.startsWith('unknown_')) return `${needWord(why.slice(8))}: unknown`;
  return REASONS[why] ?? why.replaceAll('_', ' ');
}

/** @param {string} reason of a failed attempt */
export function failureWord(reason) {
  const status = /^upstream_(\d{3})$/.exec(reason)?.[1];
  if (status === undefined) return FAILURES[reason] ?? reason.replaceAll('_', ' ');
  const meaning = STATUSES[status];
  return meaning === undefined ? `status ${status}` : `${meaning} (${status})`;
}
