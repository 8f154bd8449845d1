import { describe, expect, it } from '@jest/globals';
import { type ContentCoding, contentCoding, withoutByteOrderMark } from './content-coding.js';

describe('contentCoding', () => {
  it.each<[header: string | string[] | undefined, coding: ContentCoding]>([
    [undefined, 'identity'],
    ['', 'identity'],
    [' \t', 'identity'],
    ['identity', 'identity'],
    ['Identity', 'identity'],
    ['identity, identity', 'identity'],
    ['gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['Gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['X-GZip', 'gzip'],
    ['\tgzip ', 'gzip'],
    ['gzip,', 'gzip'],
    ['identity, gzip', 'gzip'],
    [['gzip', 'identity'], 'gzip'],
    [['', 'x-gzip'], 'gzip'],
    ['br', 'unknown'],
    ['deflate', 'unknown'],
    ['gzip, gzip', 'unknown'],
    [['gzip', 'br'], 'unknown'],
    ['gzip;q=1', 'unknown'],
    ['"gzip"', 'unknown'],
    ['xgzip', 'unknown'],
    ['gzip2', 'unknown'],
  ])('CAT-20: %j is %s', (header, coding) => {
    expect(contentCoding(header)).toBe(coding);
  });
});

describe('withoutByteOrderMark', () => {
  it.each([
    ['\uFEFF[]', '[]'],
    ['\uFEFF', ''],
    ['[]', '[]'],
    ['', ''],
    ['[\uFEFF]', '[\uFEFF]'],
    // One is a mark, the second is text.
    ['\uFEFF\uFEFF[]', '\uFEFF[]'],
  ])('CAT-20: %j becomes %j', (text, rest) => {
    expect(withoutByteOrderMark(Buffer.from(text)).toString()).toBe(rest);
  });
});
