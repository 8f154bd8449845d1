import type { IncomingMessage, ServerResponse } from 'node:http';
import { beforeEach, expect, test } from '@jest/globals';
import type { RequestRecord } from '../request/request-record.js';
import { FrontDoor } from './front-door.js';

const record = {} as RequestRecord;
const response = {} as ServerResponse;
let door: FrontDoor;
let admitted: RequestRecord | undefined;
let hosted: RequestRecord[];

beforeEach(() => {
  door = new FrontDoor();
  admitted = record;
  hosted = [];
  door.serve('/v1/completions', (its) => void hosted.push(its));
});

test.each([
  ['POST', '/v1/completions', true],
  ['POST', '/v1/completions?a=/b', true],
  ['GET', '/v1/completions', false],
  ['POST', '/v1/completions/', false],
  ['POST', '/v1/complet%69ons', false],
  ['POST', '/v1/models', false],
  ['POST', '*', false],
])('RTE-23: %s %s is taken: %s', (method, url, isTaken) => {
  keepGate();
  expect(door.takes({ method, url } as IncomingMessage, response)).toBe(isTaken);
  expect(hosted).toEqual(isTaken ? [record] : []);
});

test('RTE-23: one that is answered at the gate does not come to its host, nor to anybody else', () => {
  admitted = undefined;
  keepGate();
  expect(door.takes({ method: 'POST', url: '/v1/completions' } as IncomingMessage, response)).toBe(true);
  expect(hosted).toEqual([]);
});

test('RTE-23: without a gate nobody comes in', () => {
  const request = { method: 'POST', url: '/v1/completions' } as IncomingMessage;
  expect(() => door.takes(request, response)).toThrow('Nobody keeps the gate.');
});

function keepGate(): void {
  door.guardedBy({ admit: () => admitted, open: () => record });
}
