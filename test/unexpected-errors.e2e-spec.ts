import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { RelayService } from '../src/upstream/relay.service.js';
import { ask, complete, errorOf } from './support/ask.js';
import { chatRequest } from './support/chat-request.js';
import { chutesWith } from './support/chutes-with.js';
import { failOnce } from './support/fail-once.js';
import { RawClient } from './support/raw-client.js';
import { eventually, startRouter, type TestRouter } from './support/router.js';

const ID = { 'x-request-id': 'my-own-id' };

let chutes: ChutesSimulator;
let to: TestRouter;

beforeEach(async () => {
  chutes = await chutesWith(['a/first', 'b/second-TEE']);
  to = await startRouter(chutes);
});

afterEach(async () => {
  await to.close();
  await chutes.close();
});

describe('what the framework rejects', () => {
  test.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])(
    'ERR-16: %s on a path that is served, and on one that is not',
    async (method) => {
      const [served, other] = [
        await ask(to, '/v1/models', { method }),
        await ask(to, '/nowhere', { method }),
      ];
      expect([served.status, errorOf(served).code]).toEqual([405, 'method_not_allowed']);
      expect([other.status, errorOf(other).code]).toEqual([404, 'not_found']);
    },
  );

  test.each(['/%', '/v1/models/%c3%28', '/chutes/%e0%80%80/evidence'])(
    'ERR-17: the path %s cannot be decoded',
    async (path) => {
      const answer = await ask(to, path);
      expect([answer.status, errorOf(answer).code]).toEqual([400, 'bad_request']);
    },
  );
});

describe('a failure that nothing expected', () => {
  test.each([
    ['an Error', new Error('Unexpected.')],
    ['an error with a status that says nothing', Object.assign(new Error('x'), { statusCode: 503 })],
    ['nothing at all', undefined],
    ['null', null],
    ['a string', 'Unexpected.'],
  ])('ERR-5, ERR-1: %s is internal_error, and the process lives on', async (_, thrown) => {
    failOnce(to, thrown);
    const answer = await complete(to, { model: 'chutesai/AutoPilot' }, { headers: ID });
    expect(answer.status).toBe(500);
    expect(answer.headers.get('x-request-id')).toBe('my-own-id');
    expect(errorOf(answer)).toEqual({
      message: expect.any(String),
      type: 'server_error',
      param: null,
      code: 'internal_error',
    });
    expect((await complete(to, { model: 'chutesai/AutoPilot' })).status).toBe(200);
  });

  test('ERR-5: after the commit it ends the connection, and the process lives on', async () => {
    const relays = to.app.get(RelayService);
    const original = relays.relay.bind(relays);
    relays.relay = (_exchange, _answer, { response }) => {
      response.writeHead(200);
      throw new Error('Unexpected.');
    };
    const client = await RawClient.open(to.port, chatRequest({ model: 'a/first' }));
    await client.ended;
    expect(client.bytesReceived).toBe(0);
    await eventually(() => to.requestLogs.length === 1);
    expect(to.requestLogs[0]).toMatchObject({ ending: 'interrupted' });
    relays.relay = original;
    expect((await complete(to, { model: 'a/first' })).status).toBe(200);
  });
});
