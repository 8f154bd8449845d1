import { describe, expect, test } from '@jest/globals';
import { cut, none, whole } from './soak/step.js';
import { ERROR_BODY, ERROR_SEEN, JSON_BODY, LINE, type Traces, verdictOf } from './soak/traces.js';
import { runScript } from './support/run-script.js';

const EVENTS = 'data: {"id":1}\n\ndata: {"id":2}\n\ndata: [DONE]\n\n';
const STREAM = { 'x-request-id': 'id', 'content-type': 'text/event-stream' };
const HALF_STREAM = 'data: {"id":1}\n\nda';
const ERROR_EVENT =
  '\n\ndata: {"error":{"message":"It broke.","type":"server_error","param":null,"code":"upstream_stream_interrupted"}}\n\n';
const ERROR_LINE = { status: 502, bytes_out: ERROR_BODY.length, failovers: ['upstream_reset'] };
const CUT_LINE = { ending: 'interrupted', bytes_out: HALF_STREAM.length + ERROR_EVENT.length };

test.each<[what: string, outcome: string, traces: Traces]>([
  ['a whole answer', 'answered whole', {}],
  [
    'an error that belongs there',
    'router error',
    { seen: ERROR_SEEN, line: ERROR_LINE, promised: [none('upstream_reset')] },
  ],
  [
    'a broken stream with an error event',
    'cut visibly',
    {
      seen: { ending: 'cut', headers: STREAM, body: HALF_STREAM + ERROR_EVENT },
      promised: [cut(EVENTS)],
      line: CUT_LINE,
    },
  ],
  [
    'half a body without an end',
    'cut visibly',
    {
      seen: { ending: 'cut', body: '{"obj' },
      promised: [cut(JSON_BODY)],
      line: { ending: 'interrupted', bytes_out: 5 },
    },
  ],
])('PRJ-11: the soak takes %s for "%s"', (_, outcome, traces) => {
  expect(verdictOf(traces)).toMatchObject({ outcome, problems: [] });
});

describe('what the soak reports', () => {
  test.each<[what: string, traces: Traces]>([
    ['half an answer that looks complete', { seen: { body: '{"obj' }, line: { bytes_out: 5 } }],
    ['an answer that nobody sent', { promised: [], line: { attempts: 0 } }],
    ['the answer to another request', { seen: { headers: { 'x-request-id': 'other' } } }],
    ['a changed status', { seen: { status: 201 }, line: { status: 201 } }],
    ['no end at all', { seen: { ending: 'hung' } }],
    ['a connection that ends without an answer', { seen: { ending: 'none', status: 0, body: '' } }],
    [
      'a whole answer that is cut',
      { seen: { ending: 'cut', body: '{"obj' }, line: { ending: 'interrupted', bytes_out: 5 } },
    ],
    [
      'a broken stream without an error event',
      {
        seen: { ending: 'cut', headers: STREAM, body: HALF_STREAM },
        promised: [cut(EVENTS)],
        line: { ...CUT_LINE, bytes_out: HALF_STREAM.length },
      },
    ],
    [
      'wrong bytes in a broken stream',
      {
        seen: { ending: 'cut', headers: STREAM, body: `data: {"id":2}${ERROR_EVENT}` },
        promised: [cut(EVENTS)],
        line: { ...CUT_LINE, bytes_out: 14 + ERROR_EVENT.length },
      },
    ],
    [
      'an error that lacks a field',
      {
        seen: { ...ERROR_SEEN, body: ERROR_BODY.replace('"param":null,', '') },
        line: { ...ERROR_LINE, bytes_out: ERROR_BODY.length - 13 },
        promised: [none('upstream_reset')],
      },
    ],
    [
      'an error that does not belong there',
      {
        seen: { ...ERROR_SEEN, body: ERROR_BODY.replace('reset', 'other') },
        line: ERROR_LINE,
        promised: [none('upstream_reset')],
      },
    ],
  ])('PRJ-11: %s, as lost', (_, traces) => {
    const { outcome, problems } = verdictOf(traces);
    expect([outcome, problems.length]).toEqual(['lost', 1]);
  });

  test.each<[what: string, traces: Traces]>([
    ['a request without a log line', { lines: [] }],
    ['a request with two', { lines: [LINE, LINE] }],
    ['a line with another status', { line: { status: 500 } }],
    ['a line with another size', { line: { bytes_out: 3 } }],
    ['a line that counts an attempt too many', { line: { attempts: 2 } }],
    ['an attempt that no line counts', { line: { attempts: 0 } }],
    [
      'a direct request that was sent twice',
      {
        promised: [none('upstream_reset'), whole(200, JSON_BODY)],
        line: { attempts: 2, failovers: ['upstream_reset'] },
      },
    ],
    [
      'a failure that the upstream had no part in',
      { line: { attempts: 1, failovers: ['upstream_empty_body'] } },
    ],
    [
      'a timer that fired early',
      { line: { attempts: 1, failovers: ['upstream_header_timeout'], duration_ms: 100 } },
    ],
  ])('PRJ-11: %s', (_, traces) => {
    expect(verdictOf(traces).problems).not.toEqual([]);
  });
});

test('PRJ-11, PRJ-24: a short soak loses nothing and leaks nothing', async () => {
  const { code, output } = await runScript('test/soak/main.ts', ['--minutes', '0.05']);
  expect(output).toContain('Nothing was lost, nothing leaked.');
  expect(output).toMatch(/lost\.+ +0\n/);
  expect(code).toBe(0);
}, 120_000);

test('PRJ-11: what it does not understand ends it', async () => {
  expect((await runScript('test/soak/main.ts', ['--minutes', 'x'])).code).toBe(1);
});
