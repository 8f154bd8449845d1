import { expect, test } from '@jest/globals';
import { Ledger } from './soak/ledger.js';
import { Stalls } from './soak/stalls.js';
import { whole } from './soak/step.js';
import {
  ERROR_BODY,
  ERROR_SEEN,
  JSON_BODY,
  LIMITS,
  LINE,
  PLAN,
  type Traces,
  verdictOf,
} from './soak/traces.js';

// On a machine that stands still now and then, things come late.

const timedOut = {
  status: 408,
  headers: { 'x-request-id': 'other', 'content-type': 'application/json' },
  body: '{"error":{"message":"No.","type":"invalid_request_error","param":null,"code":"request_timeout"}}',
};
const overtaken: Traces = {
  seen: { headers: { 'x-request-id': 'id', 'x-chutes-autopilot-selected': 'model 0' } },
  promised: [whole(200, JSON_BODY), whole(200, JSON_BODY)],
  endings: ['answered', 'client-gone'],
  line: { attempts: 2, failovers: ['upstream_header_timeout'], duration_ms: 900 },
  plan: { mode: 'list' },
};

test.each<[what: string, outcome: string, traces: Traces]>([
  [
    'an upstream',
    'answered whole',
    {
      promised: [whole(200, JSON_BODY), whole(200, JSON_BODY)],
      seen: { headers: { 'x-request-id': 'id', 'x-chutes-autopilot-selected': 'model 1' } },
      line: { attempts: 2, failovers: ['upstream_header_timeout'], duration_ms: 900 },
      plan: { mode: 'list' },
    },
  ],
  ['an attempt that arrives behind the next one', 'answered whole', overtaken],
  [
    'an attempt that has only just arrived, behind the next one',
    'answered whole',
    { ...overtaken, endings: ['answered', 'open'] },
  ],
  ['the head of a request', 'router error', { seen: timedOut, promised: [], lines: [] }],
  [
    'the body of a request',
    'router error',
    {
      seen: { ...timedOut, headers: { ...timedOut.headers, 'x-request-id': 'id' } },
      promised: [],
      line: { status: 408, attempts: 0, bytes_out: timedOut.body.length },
    },
  ],
])('PRJ-11: %s is not lost, but noted', (_, outcome, traces) => {
  expect(verdictOf(traces)).toMatchObject({ outcome, problems: [], isLate: true });
});

test('PRJ-11: an attempt that the upstream answered cannot be the one that was given up', () => {
  expect(verdictOf({ ...overtaken, endings: [] }).problems).not.toEqual([]);
});

test('PRJ-11: an attempt that arrives when all is over is known once', () => {
  const ledger = new Ledger('test', LIMITS);
  const call = ledger.begin('test', PLAN);
  const body = ERROR_BODY.replace('upstream_reset', 'upstream_header_timeout');
  const headers = { ...ERROR_SEEN.headers, 'x-request-id': call.id, 'x-should-retry': 'false' };
  ledger.end(call, { ending: 'complete', status: 504, headers, body: Buffer.from(body), endedAtMs: 900 });
  const failed = { status: 504, failovers: ['upstream_header_timeout'], bytes_out: body.length };
  ledger.takeLine({ ...LINE, ...failed, msg: 'request', req_id: call.id, duration_ms: 900 });
  ledger.takeStraggler(call.id, 'POST /');
  expect(ledger.tally).toMatchObject({ problems: [], late: [{ what: expect.stringContaining(call.id) }] });
  ledger.takeStraggler(call.id, 'POST /');
  expect(ledger.tally.problems).toHaveLength(1);
});

test('PRJ-11: an upstream request that outlives its client has to be excused', () => {
  const traces: Traces = { seen: { ending: 'left', status: 0, body: '', endedAtMs: -4_995 } };
  expect(verdictOf(traces)).toMatchObject({ outcome: 'left by its client', problems: [], wentOnMs: 5_000 });
});

test.each([
  ['apart', [stall(10, 20), stall(30, 50)], 30],
  ['one inside the other, reported later', [stall(20, 30), stall(10, 50)], 40],
  ['overlapping', [stall(10, 30), stall(20, 50)], 40],
  ['only in part within', [stall(-50, 10), stall(90, 200)], 20],
  ['outside', [stall(-50, 0), stall(100, 200)], 0],
])('PRJ-11: how long it stood still is the sum of what is %s', (_, all, ms) => {
  const stalls = new Stalls();
  for (const one of all) stalls.add(one);
  expect(stalls.within(stall(0, 100))).toBe(ms);
});

function stall(fromMs: number, toMs: number) {
  return { fromMs, toMs };
}
