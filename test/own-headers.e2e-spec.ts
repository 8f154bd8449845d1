import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { headerOf, headersOf } from './support/raw-response.js';
import { RawStage } from './support/raw-stage.js';
import { head, response } from './support/raw-upstream.js';
import { startRouter } from './support/router.js';

const ALIAS = 'chutesai/AutoPilot';
const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

let stage: RawStage;

beforeEach(async () => {
  stage = await RawStage.set();
});

afterEach(async () => stage.clear());

describe('the id of a request', () => {
  test.each([
    ['is the client’s own', 'req-1~!', 'req-1~!'],
    ['is the client’s own of 128 characters', 'x'.repeat(128), 'x'.repeat(128)],
    ['is a new one for 129 characters', 'x'.repeat(129), UUID],
    ['is a new one for a space inside', 'req 1', UUID],
    ['is a new one for what is not ASCII', 'req-\xe4', UUID],
    ['is a new one for an empty one', '', UUID],
  ])('HDR-8, HDR-11: %s', async (_, sent, expected) => {
    const answer = await stage.ask({ model: 'first', headers: [`X-Request-Id: ${sent}`] });
    const [id, ...others] = headersOf(answer, 'x-request-id');
    expect(others).toEqual([]);
    expect(id).toEqual(expect.stringMatching(expected instanceof RegExp ? expected : `^${expected}$`));
    expect(stage.upstream.requests[0]?.head).toContain(`\r\nx-request-id: ${id}`);
  });

  test('HDR-11: is a new one for each request that brings none', async () => {
    const ids = [await stage.ask({ model: 'first' }), await stage.ask({ model: 'first' })].map((answer) =>
      headerOf(answer, 'x-request-id'),
    );
    expect(ids).toEqual([expect.stringMatching(UUID), expect.stringMatching(UUID)]);
    expect(ids[0]).not.toBe(ids[1]);
  });

  test('HDR-11: is a new one for a request that brings two', async () => {
    const answer = await stage.ask({ model: 'first', headers: ['X-Request-Id: a', 'X-Request-Id: b'] });
    expect(headerOf(answer, 'x-request-id')).toMatch(UUID);
  });

  test.each([
    '/healthz',
    '/readyz',
    '/metrics',
    '/v1/models',
    '/v1/models/first',
    '/v1/models/none',
    '/none',
  ])('HDR-11, HDR-16: is on every answer to %s', async (path) => {
    const own = await fetch(stage.router.url + path, { headers: { 'x-request-id': 'req-1' } });
    expect(own.headers.get('x-request-id')).toBe('req-1');
    const fresh = await fetch(stage.router.url + path);
    expect(fresh.headers.get('x-request-id')).toMatch(UUID);
  });

  test('HDR-16: is on the errors of a router that is not ready', async () => {
    const silent = await ChutesSimulator.start();
    silent.feed('models', 'error');
    const router = await startRouter(silent, {}, { awaitReady: false });
    for (const path of ['/readyz', '/v1/models']) {
      const answer = await fetch(router.url + path, { headers: { 'x-request-id': 'req-1' } });
      expect([answer.status, answer.headers.get('x-request-id')]).toEqual([503, 'req-1']);
    }
    await router.close();
    await silent.close();
  });
});

describe('the router’s own headers', () => {
  const own = ['x-chutes-autopilot-selected', 'x-chutes-autopilot-attempts'];

  test.each([
    ['alias', ALIAS],
    ['list', 'first,third'],
  ])('HDR-12, HDR-14: in %s mode name the model and count the attempts', async (_, model) => {
    const answer = await stage.ask({ model });
    expect(own.map((name) => headersOf(answer, name))).toEqual([['first'], ['1']]);
  });

  test.each([
    ['a second attempt', 'third,second', '200', 'second', '2'],
    ['an answer that is no 2xx', 'first,second', '429', 'first', '1'],
    ['the last failure', 'third', '503', 'third', '1'],
  ])('HDR-12, HDR-14: are on %s', async (_, models, status, selected, attempts) => {
    stage.upstream.answer(
      'first',
      async (connection) => void (await connection.write(response('429 Slow', [], ''))),
    );
    stage.upstream.answer(
      'third',
      async (connection) => void (await connection.write(response('503 Busy', [], ''))),
    );
    const answer = await stage.ask({ model: `${models},` });
    expect([String(answer.status), ...own.map((name) => headerOf(answer, name))]).toEqual([
      status,
      selected,
      attempts,
    ]);
  });

  test('HDR-13: a model that can be no header value is percent-encoded', async () => {
    await stage.clear();
    stage = await RawStage.set({ MODEL_VALIDATION: 'lenient' });
    const answer = await stage.ask({ model: '模型/größe\n,x' });
    expect(headerOf(answer, own[0] ?? '')).toBe(encodeURIComponent('模型/größe'));
    stage.upstream.answer(
      'a\nb: c',
      async (connection) => void (await connection.write(response('200 OK', [], 'x'))),
    );
    const odd = await stage.ask({ model: 'a\nb: c,x' });
    expect([headerOf(odd, own[0] ?? ''), headerOf(odd, 'b')]).toEqual(['a%0Ab%3A%20c', undefined]);
  });

  test.each([200, 429, 503])('HDR-15: in direct mode are on no answer with %i', async (status) => {
    stage.upstream.answer(
      'first',
      async (connection) => void (await connection.write(response(`${status} Odd`, [], 'x'))),
    );
    const answer = await stage.ask({ model: 'first' });
    expect([answer.status, own.flatMap((name) => headersOf(answer, name))]).toEqual([status, []]);
  });

  test.each([
    ['HDR-17', 'alias', ALIAS, '3'],
    ['HDR-17', 'list', 'first,second', '2'],
    ['HDR-15', 'direct', 'first', undefined],
  ])('%s, HDR-16: on an error of the router in %s mode', async (_clause, _, model, attempts) => {
    stage.upstream.answer('*', async (connection) => {
      await connection.write(head('200 OK', 'X-Failed: 1', 'Content-Length: 5'));
      connection.fin();
    });
    const answer = await stage.ask({ model, headers: ['X-Request-Id: req-1'] });
    expect(answer.status).toBe(502);
    expect(own.map((name) => headerOf(answer, name))).toEqual([undefined, attempts]);
    expect(headersOf(answer, 'x-request-id')).toEqual(['req-1']);
  });

  test('HDR-17: attempts are not counted where there was none', async () => {
    const answer = await stage.ask({ model: 'first,none' });
    expect([answer.status, own.flatMap((name) => headersOf(answer, name))]).toEqual([400, []]);
    expect(headerOf(answer, 'x-request-id')).toMatch(UUID);
  });
});
