import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, jest, test } from '@jest/globals';
import { RequestRecord } from '../request/request-record.js';
import { type Finished, requestLine } from '../telemetry/request-line.js';
import { FinishedRequests } from './finished-requests.js';

const request = new IncomingMessage(new Socket());
const response = new ServerResponse(request);
const FINISHED: Finished = {
  level: 'info',
  timeMs: 1_000,
  endedAtMs: 2_500.5,
  status: 200,
  ending: 'complete',
  bytesOut: 7,
};

function recordOf(id: string, fields: Partial<RequestRecord> = {}): RequestRecord {
  return Object.assign(new RequestRecord(request, response, id, undefined, 1_000, true), fields);
}

describe('finished requests', () => {
  test('STA-7: are the last ones, newest first', () => {
    const requests = new FinishedRequests(3);
    expect(requests.documents()).toEqual([]);
    for (const id of ['a', 'b', 'c', 'd', 'e']) requests.add(recordOf(id), FINISHED);
    expect(requests.documents().map(({ id }) => id)).toEqual(['e', 'd', 'c']);
    expect(requests.newest()?.id).toBe('e');
  });

  test('STA-7: have the fields of their log lines, and how many models were out by reason', () => {
    const requests = new FinishedRequests(3);
    const record = recordOf('a', {
      traceId: 'f'.repeat(32),
      mode: 'alias',
      alias: 'auto',
      sort: 'capacity',
      needs: ['tools'],
      candidates: 5,
      model: 'a/model',
      isPinned: true,
      isDryRun: true,
      excluded: [
        ['no_instance', 3],
        ['lacks_tools', 1],
        ['lacks_tools', 1],
      ],
      attempts: 2,
      firstByteAtMs: 1_250,
      bytesIn: 42,
    });
    record.failovers.push('upstream_503');
    requests.add(record, FINISHED);
    const {
      level: _level,
      msg: _msg,
      ...fields
    } = JSON.parse(requestLine(record, FINISHED)) as Record<string, unknown>;
    expect(Object.keys(fields)).toHaveLength(19);
    expect(requests.documents()).toEqual([
      { id: 'a', ...fields, excluded: { no_instance: 3, lacks_tools: 2 } },
    ]);
  });

  test('STA-11: cost a slot that is there already, and no text', () => {
    const requests = new FinishedRequests(2);
    const stringify = jest.spyOn(JSON, 'stringify');
    const parse = jest.spyOn(JSON, 'parse');
    for (let n = 0; n < 1_000; n += 1) requests.add(recordOf('a'), FINISHED);
    expect([stringify.mock.calls, parse.mock.calls]).toEqual([[], []]);
    requests.documents();
    expect(parse).toHaveBeenCalledTimes(2);
    jest.restoreAllMocks();
  });
});
