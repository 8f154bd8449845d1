import { afterEach, describe, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { chatRequest } from './support/chat-request.js';
import { chutesWith } from './support/chutes-with.js';
import { closedPort } from './support/ports.js';
import { RawClient } from './support/raw-client.js';
import { headerOf, type RawResponse } from './support/raw-response.js';
import { RawStage } from './support/raw-stage.js';
import { type Env, startRouter } from './support/router.js';

/** Both the only attempt and those of a list, against a backend that cannot be reached. */
async function askUnreachable(url: string, env: Env = {}): Promise<RawResponse[]> {
  const feeds = await chutesWith(['first', 'second']);
  const router = await startRouter(feeds, { BACKEND_BASE_URL: url, ...env });
  const answers: RawResponse[] = [];
  for (const model of ['first', 'first,second']) {
    const client = await RawClient.open(router.port, chatRequest({ model, stream: true }));
    answers.push(await client.response());
    client.close();
  }
  const failovers = router.requestLogs.map((line) => line['failovers']);
  await router.close();
  await feeds.close();
  expect(failovers[0]).toEqual(['upstream_connect_error']);
  return answers;
}

/** Status, body and number of attempts of answers. */
function gistOf(answers: readonly RawResponse[]): unknown[] {
  return answers.map((answer) => ({
    status: answer.status,
    body: JSON.parse(answer.body.toString()),
    attempts: headerOf(answer, 'x-chutes-autopilot-attempts'),
  }));
}

/** What direct and list mode answer: the list has tried its second candidate as well. */
function connectErrors(): unknown[] {
  const error = {
    message: expect.any(String),
    type: 'server_error',
    param: null,
    code: 'upstream_connect_error',
  };
  return [undefined, '2'].map((attempts) => ({ status: 502, body: { error }, attempts }));
}

describe('a connection that cannot be made', () => {
  test('ATT-7, ERR-6: because it is refused', async () => {
    expect(gistOf(await askUnreachable(`http://127.0.0.1:${await closedPort()}`))).toEqual(connectErrors());
  });

  test('ATT-7, ERR-6: because the name cannot be resolved', async () => {
    expect(gistOf(await askUnreachable('http://nowhere.invalid'))).toEqual(connectErrors());
  });

  test('ATT-7, ERR-6: because the other side speaks no TLS', async () => {
    const plain = await ChutesSimulator.start();
    expect(gistOf(await askUnreachable(plain.url.replace('http:', 'https:')))).toEqual(connectErrors());
    expect(plain.requests).toEqual([]);
    await plain.close();
  });
});

describe('a connection that is not made in time', () => {
  let stage: RawStage;

  afterEach(async () => {
    await stage.clear();
  });

  test('ATT-17, ERR-6: fails after UPSTREAM_CONNECT_TIMEOUT_MS, and is not left behind', async () => {
    stage = await RawStage.set({ UPSTREAM_CONNECT_TIMEOUT_MS: '200' }, { tls: true });
    stage.upstream.onConnection = () => true;
    const startedAt = performance.now();
    const answer = await stage.ask({ model: 'first' });
    expect(performance.now() - startedAt).toBeGreaterThan(180);
    expect(gistOf([answer, await stage.ask({ model: 'first,second' })])).toEqual(connectErrors());
    expect(stage.upstream.connections).toHaveLength(3);
    for (const connection of stage.upstream.connections) await connection.closed;
  });

  test('ATT-17: makes room for the next candidate, be it the only connection', async () => {
    stage = await RawStage.set(
      { UPSTREAM_CONNECT_TIMEOUT_MS: '200', UPSTREAM_MAX_CONNECTIONS: '1' },
      { tls: true },
    );
    stage.upstream.onConnection = () => true;
    const answer = await stage.ask({ model: 'first,second,third' });
    expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { code: 'upstream_connect_error' } });
    expect(headerOf(answer, 'x-chutes-autopilot-attempts')).toBe('3');
  });
});
