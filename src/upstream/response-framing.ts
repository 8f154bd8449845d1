import type { FlatHeaders } from './headers.js';

const PLAIN_CODING = /^[ \t]*(?:chunked|identity)[ \t]*$/i;
const NAME = 'transfer-encoding';

/**
 * Whether the body of a response stands there as it is, or in chunks. undici's parser lets other transfer codings pass, and with
 * several of these headers goes by the last: then it takes the framing for the body.
 */
export function isPlainlyFramed(headers: FlatHeaders): boolean {
  let isFramed = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length !== NAME.length || name.toLowerCase() !== NAME) continue;
    if (isFramed || !PLAIN_CODING.test(headers[i + 1] as string)) return false;
    isFramed = true;
  }
  return true;
}
