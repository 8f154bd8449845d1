import { IncomingMessage, ServerResponse } from 'node:http';
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import {
  array,
  assert,
  boolean,
  constantFrom,
  double,
  nat,
  option,
  property,
  record,
  string,
  stringMatching,
  subarray,
} from 'fast-check';
import { requestLine } from './request-line.js';
import { RequestRecord } from '../request/request-record.js';

const request = new IncomingMessage(new Socket());
const response = new ServerResponse(request);
/** To microseconds. */
const rounded = (value: number) => Math.round(value * 1_000) / 1_000;
const ms = double({ min: 0, max: 1e9, noNaN: true });

test('OBS-17: whatever a request was, its line is one line of JSON with all fields', () => {
  const marks = record({
    mode: constantFrom('alias', 'list', 'direct', 'none'),
    candidates: nat(),
    model: option(string(), { nil: undefined }),
    alias: option(string(), { nil: undefined }),
    sort: constantFrom('capacity', 'price'),
    needs: subarray(['tools', 'image', 'tee']),
    isPinned: boolean(),
    isDryRun: boolean(),
    attempts: nat(),
    failovers: array(constantFrom('status_503', 'upstream_connect_error'), { maxLength: 3 }),
    bytesIn: nat(),
    firstByteAtMs: option(ms, { nil: undefined }),
  });
  const id = stringMatching(/^[\x21-\x7e]{1,128}$/);
  const trace = option(stringMatching(/^[\da-f]{32}$/), { nil: undefined });
  assert(
    property(id, trace, marks, ms, nat(), (reqId, traceId, marked, endedAtMs, timeMs) => {
      const about = Object.assign(new RequestRecord(request, response, reqId, traceId, 0, true), marked);
      const finished = { level: 'info', ending: 'complete', status: 200, bytesOut: 7 } as const;
      const line = requestLine(about, { ...finished, timeMs, endedAtMs });
      expect(line.indexOf('\n')).toBe(line.length - 1);
      const { firstByteAtMs } = marked;
      expect(JSON.parse(line)).toEqual({
        level: 'info',
        time: new Date(timeMs).toISOString(),
        req_id: reqId,
        ...(traceId === undefined ? {} : { trace_id: traceId }),
        mode: marked.mode,
        ...(marked.alias === undefined ? {} : { alias: marked.alias, sort: marked.sort }),
        needs: marked.needs,
        ...(marked.isDryRun ? { dry_run: true } : {}),
        candidates: marked.candidates,
        model: marked.model ?? null,
        pinned: marked.isPinned,
        attempts: marked.attempts,
        failovers: marked.failovers,
        status: 200,
        ending: 'complete',
        ttfb_ms: firstByteAtMs === undefined ? null : rounded(firstByteAtMs),
        duration_ms: rounded(endedAtMs),
        bytes_in: marked.bytesIn,
        bytes_out: 7,
        msg: 'request',
      });
    }),
  );
});

test('OBS-54: the documentation lists every field of a line, and no other', () => {
  const about = new RequestRecord(request, response, 'id', 'a'.repeat(32), 0, true);
  Object.assign(about, { alias: 'auto', sort: 'price', isDryRun: true });
  const finished = { level: 'info', ending: 'complete', status: 200, bytesOut: 7 } as const;
  const fields = Object.keys(
    JSON.parse(requestLine(about, { ...finished, timeMs: 0, endedAtMs: 0 })) as object,
  );
  const [, section = ''] =
    /^## The log\n(.*?)^## /ms.exec(readFileSync('docs/observability.md', 'utf8')) ?? [];
  const rows = [...section.matchAll(/^\| (`.*?) *\|/gm)].flatMap(([, names = '']) => names.split(', '));
  expect(rows.toSorted()).toEqual(fields.map((field) => `\`${field}\``).toSorted());
});
