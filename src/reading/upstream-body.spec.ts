import { describe, expect, test } from '@jest/globals';
import type { ModelId } from '../catalog/model-list.js';
import { cut } from '../../test/support/cut.js';
import { HeldBody } from './held-body.js';
import { readAsked } from './asked.js';
import { LargeBody, upstreamBody } from './upstream-body.js';

const OTHER = 'some/other-model' as ModelId;
const SAME = 'one/model' as ModelId;

function held(padding: number): HeldBody {
  const text = `{"a":"${'x'.repeat(padding)}", "model" : "one/model","b":1.0}`;
  return new HeldBody(cut(Buffer.from(text), 65_536), () => {});
}

function bytesOf(pieces: Iterable<Buffer>): Buffer {
  return Buffer.concat([...pieces]);
}

describe.each([
  ['small', 10],
  ['large', 100_000],
])('a %s body', (_, padding) => {
  test('REQ-12: differs in the value of model alone', () => {
    const body = held(padding);
    const sent = upstreamBody(body, readAsked(body.pieces), OTHER);
    const bytes = Buffer.isBuffer(sent) ? sent : bytesOf(sent);
    expect(bytes.toString()).toBe(bytesOf(body.pieces).toString().replace('one/model', OTHER));
    expect(sent).toHaveLength(bytes.length);
  });

  test('REQ-13: is the same where it names that model itself', () => {
    const body = held(padding);
    const sent = upstreamBody(body, readAsked(body.pieces), SAME);
    expect(Buffer.isBuffer(sent) ? sent : bytesOf(sent)).toEqual(bytesOf(body.pieces));
  });
});

test('REQ-12: a large body can be sent more than once, and without a copy', () => {
  const body = held(100_000);
  const sent = upstreamBody(body, readAsked(body.pieces), OTHER) as LargeBody;
  expect([...sent]).toEqual([...sent]);
  expect([...sent][0]?.buffer).toBe(body.pieces[0]?.buffer);
});

test('CFG-22: a large body keeps nothing once it is released, though it is itself still kept', () => {
  let releases = 0;
  const body = new HeldBody(held(100_000).pieces, () => {
    releases += 1;
  });
  const sent = upstreamBody(body, readAsked(body.pieces), OTHER) as LargeBody;
  body.release();
  expect(body.pieces).toHaveLength(0);
  expect(bytesOf(sent).length).toBeLessThan(100);
  expect(releases).toBe(1);
});

test('CFG-22: a body that is still being sent is kept, and counts, until it has been taken or given up', () => {
  for (const end of ['return', 'next'] as const) {
    let releases = 0;
    const body = new HeldBody(held(100_000).pieces, () => {
      releases += 1;
    });
    const pieces = (upstreamBody(body, readAsked(body.pieces), OTHER) as LargeBody)[Symbol.iterator]();
    pieces.next();
    body.release();
    expect([releases, body.pieces.length > 0]).toEqual([0, true]);
    let isDone = false;
    while (!isDone) isDone = pieces[end]?.().done === true;
    expect([releases, body.pieces.length]).toEqual([1, 0]);
  }
});
