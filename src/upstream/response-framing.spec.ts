import { expect, test } from '@jest/globals';
import { isPlainlyFramed } from './response-framing.js';

const TE = 'Transfer-Encoding';

test.each<[headers: string[], isPlain: boolean]>([
  [[], true],
  [['Content-Length', '5'], true],
  [[TE, 'chunked'], true],
  [['transfer-encoding', ' CHUNKED\t'], true],
  [['X', 'y', TE, 'identity'], true],
  [[TE, ''], false],
  [[TE, 'gzip'], false],
  [[TE, 'chunked;q=1'], false],
  [[TE, 'chunked, gzip'], false],
  [[TE, 'gzip, chunked'], false],
  [[TE, 'chunked, chunked'], false],
  [[TE, 'chunked', TE, 'gzip'], false],
  [[TE, 'gzip', 'TRANSFER-ENCODING', 'chunked'], false],
  [[TE, 'chunked', 'X', 'y', TE, 'chunked'], false],
  [[TE, 'identity', TE, 'chunked'], false],
  [[TE, 'chunked', TE, ''], false],
])('ERR-33: %j is plain: %s', (headers, isPlain) => {
  expect(isPlainlyFramed(headers)).toBe(isPlain);
});
