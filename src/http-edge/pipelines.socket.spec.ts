import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { Pipelines } from './pipelines.socket.js';

/** A response that waits for its turn. */
function join(pipelines: Pipelines, socket: Socket): { code: string | undefined; response: ServerResponse } {
  const request = new IncomingMessage(socket);
  const response = new ServerResponse(request);
  return { code: pipelines.join(request, response)?.code, response };
}

test('RTE-26: what waits on all connections together is bounded, and room is there again when it is answered or gone', () => {
  const pipelines = new Pipelines(3);
  const [one, other] = [new Socket(), new Socket()];
  const joined = [join(pipelines, one), join(pipelines, one), join(pipelines, other)];
  expect(joined.map(({ code }) => code)).toEqual([undefined, undefined, undefined]);
  expect([join(pipelines, one).code, join(pipelines, other).code]).toEqual(['overloaded', 'overloaded']);

  joined[0]?.response.assignSocket(one);
  const next = join(pipelines, other);
  expect([next.code, join(pipelines, one).code]).toEqual([undefined, 'overloaded']);

  next.response.emit('close');
  next.response.emit('socket', other);
  expect([join(pipelines, one).code, join(pipelines, one).code]).toEqual([undefined, 'overloaded']);
});

test('RTE-25: the 65th of a connection is refused, and others are not concerned', () => {
  const pipelines = new Pipelines();
  const [one, other] = [new Socket(), new Socket()];
  // Besides the one that is being answered.
  const codes = Array.from({ length: 65 }, () => join(pipelines, one).code);
  expect(codes.indexOf('bad_request')).toBe(63);
  expect(join(pipelines, other).code).toBeUndefined();
});
