import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { endingOf, isRequestId, RequestRecord, traceIdOf } from './request-record.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('trace ids', () => {
  test.each([
    ['version 00', `00-${TRACE}-${SPAN}-01`],
    ['flags that are not known', `00-${TRACE}-${SPAN}-fe`],
    ['a later version', `01-${TRACE}-${SPAN}-01`],
    ['a later version with further fields', `cc-${TRACE}-${SPAN}-01-what-else`],
  ])('OBS-20: %s of traceparent has one', (_, traceparent) => {
    expect(traceIdOf(traceparent)).toBe(TRACE);
  });

  test.each([
    ['none', undefined],
    ['an empty one', ''],
    ['version 00 with further fields', `00-${TRACE}-${SPAN}-01-more`],
    ['version ff', `ff-${TRACE}-${SPAN}-01`],
    ['a version that is no number', `0x-${TRACE}-${SPAN}-01`],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span id of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['capitals', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['a short trace id', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['a long trace id', `00-${TRACE}0-${SPAN}-01`],
    ['another character', `00-${TRACE.slice(1)}g-${SPAN}-01`],
    ['a short span id', `00-${TRACE}-${SPAN.slice(1)}-01`],
    ['no flags', `00-${TRACE}-${SPAN}`],
    ['one-digit flags', `00-${TRACE}-${SPAN}-1`],
    ['a later version whose flags run on', `01-${TRACE}-${SPAN}-01more`],
    ['a line break behind it', `01-${TRACE}-${SPAN}-01\n`],
    ['space around it', ` 00-${TRACE}-${SPAN}-01`],
    ['two of them, joined by Node', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ['a list', [`00-${TRACE}-${SPAN}-01`]],
  ])('OBS-20: %s is not valid', (_, traceparent) => {
    expect(traceIdOf(traceparent)).toBeUndefined();
  });
});

describe('request ids', () => {
  test.each([
    ['one character', 'x', true],
    ['128 characters', '~'.repeat(128), true],
    ['all of visible ASCII', '!"#$%&\'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~', true],
    ['nothing', '', false],
    ['129 characters', 'x'.repeat(129), false],
    ['a space', 'a b', false],
    ['a tab', 'a\tb', false],
    ['a control character', 'a\u007F', false],
    ['a letter beyond ASCII', 'é', false],
    ['no string', undefined, false],
  ])('HDR-11: %s', (_, value, expected) => {
    expect(isRequestId(value)).toBe(expected);
  });
});

describe('endings', () => {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);

  test.each([
    ['complete', { isFinished: true }],
    ['complete', { isFinished: false, isDelivered: true }],
    ['client_gone', { isFinished: false }],
    ['interrupted', { isFinished: false, isInterrupted: true }],
    // Chutes' unframed error: the response itself ends well.
    ['interrupted', { isFinished: true, isInterrupted: true }],
  ])('OBS-19: %s for %j', (expected, { isFinished, ...marks }) => {
    const record = Object.assign(new RequestRecord(request, response, 'id', undefined, 0, true), marks);
    expect(endingOf(record, isFinished)).toBe(expected);
  });
});
