import { once } from 'node:events';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { selfSigned } from '../src/simulator/self-signed.js';
import { chatRequest } from './support/chat-request.js';
import { RawClient } from './support/raw-client.js';
import { headerOf, type RawResponse } from './support/raw-response.js';
import { RawUpstream } from './support/raw-upstream.js';
import { type Env, startRouter, type TestRouter } from './support/router.js';
import { trust } from './support/trust.js';

const MODELS = ['first', 'second'];
const { key, cert } = selfSigned(new Date());

let feeds: ChutesSimulator;
let chutes: ChutesSimulator;
let router: TestRouter;

async function start(backend: string, env: Env = {}): Promise<void> {
  router = await startRouter(feeds, { BACKEND_BASE_URL: backend, STICKY_TTL_SECS: '0', ...env });
}

async function ask(model: string, stream = false): Promise<RawResponse> {
  const client = await RawClient.open(router.port, chatRequest({ model, stream }));
  const answer = await client.response();
  client.close();
  return answer;
}

beforeAll(async () => {
  feeds = await ChutesSimulator.start();
  chutes = await ChutesSimulator.start({ tls: { key, cert, offersHttp2: true } });
  for (const simulator of [feeds, chutes]) {
    simulator.models = MODELS;
    simulator.utilization = MODELS;
  }
});

afterAll(async () => {
  await chutes.close();
  await feeds.close();
});

beforeEach(() => {
  chutes.reset();
  chutes.models = MODELS;
  trust(cert);
});

afterEach(async () => {
  await router.close();
  trust();
});

describe('an upstream whose TLS offers HTTP/2', () => {
  test('ATT-24: is spoken to in HTTP/1.1', async () => {
    await start(chutes.url);
    const answer = await ask('first');
    expect(JSON.parse(answer.body.toString())).toMatchObject({ model: 'first' });
    expect(chutes.generations.map(({ httpVersion }) => httpVersion)).toEqual(['1.1']);
  });

  test('ATT-24: does offer it to those who would take it', async () => {
    await start(chutes.url);
    const socket = connect({ port: Number(new URL(chutes.url).port), ALPNProtocols: ['http/1.1', 'h2'] });
    await once(socket, 'secureConnect');
    expect(socket.alpnProtocol).toBe('h2');
    socket.destroy();
  });

  test('ATT-26: streams event by event', async () => {
    await start(chutes.url);
    const sequence: string[] = [];
    const received = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
    chutes.behave('first', {
      kind: 'scripted',
      script: async (exchange) => {
        await exchange.head(200, { 'content-type': 'text/event-stream' });
        for (const [n, { promise }] of received.entries()) {
          sequence.push(`${n} written`);
          await exchange.event({ n });
          await promise;
        }
      },
    });
    const client = await RawClient.open(router.port, chatRequest({ model: 'first', stream: true }));
    for (const [n, { resolve }] of received.entries()) {
      await client.receives(`{"n":${n}}`);
      sequence.push(`${n} received`);
      resolve();
    }
    expect((await client.response()).isComplete).toBe(true);
    expect(sequence).toEqual([0, 1, 2].flatMap((n) => [`${n} written`, `${n} received`]));
  });

  test.each([
    ['resets', true],
    ['closes', false],
  ])('ATT-34, ATT-35: that %s in the middle of a stream ends it honestly', async (_, isReset) => {
    await start(chutes.url);
    chutes.behave('first', { kind: 'cut-stream', afterChunks: 2, reset: isReset });
    const answer = await ask('first', true);
    expect(answer.isComplete).toBe(false);
    expect(answer.body.toString()).toContain('"code":"upstream_stream_interrupted"');
  });

  test('ATT-28: loses its connection when the client leaves', async () => {
    await start(chutes.url);
    chutes.behave('first', 'silent');
    const client = await RawClient.open(router.port, chatRequest({ model: 'first' }));
    const request = await chutes.nextRequest();
    client.close();
    await expect(request.aborted).resolves.toBeUndefined();
  });
});

describe('a TLS connection that cannot be made', () => {
  test('ATT-7, ERR-6: because nobody vouches for the certificate', async () => {
    trust();
    await start(chutes.url);
    const answer = await ask('first');
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { code: 'upstream_connect_error' } });
    expect(chutes.generations).toEqual([]);
  });

  test('ATT-7, ERR-6: because the certificate is for another name', async () => {
    const front = await RawUpstream.start();
    front.onConnection = (connection) => connection.forwardTo(Number(new URL(chutes.url).port));
    await start(`https://0.0.0.0:${front.port}`);
    const answer = await ask('first');
    expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { code: 'upstream_connect_error' } });
    expect([front.connections.length, chutes.generations.length]).toEqual([1, 0]);
    await front.close();
  });

  test.each([
    ['is reset', (upstream: RawUpstream) => upstream.connections[0]?.reset()],
    ['is closed', (upstream: RawUpstream) => upstream.connections[0]?.fin()],
    [
      'brings no TLS',
      (upstream: RawUpstream) => void upstream.connections[0]?.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
    ],
    ['brings nothing in time', () => {}],
  ])('ATT-7, ATT-17: because it %s, lets the next candidate try', async (_, misbehave) => {
    const { port } = new URL(chutes.url);
    const front = await RawUpstream.start();
    front.onConnection = (connection, count) => {
      if (count === 1) misbehave(front);
      else connection.forwardTo(Number(port));
    };
    await start(front.url.replace('http:', 'https:'), { UPSTREAM_CONNECT_TIMEOUT_MS: '500' });
    const answer = await ask('first,second', true);
    expect([answer.status, headerOf(answer, 'x-chutes-autopilot-selected')]).toEqual([200, 'second']);
    expect(headerOf(answer, 'x-chutes-autopilot-attempts')).toBe('2');
    await front.close();
  });
});
