import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { closedPort } from '../../test/support/ports.js';
import { loadConfig } from '../config/config.js';
import { ChutesSimulator } from '../simulator/chutes-simulator.js';
import type { FeedBehaviour } from '../simulator/faults/feed-misbehaviour.js';
import { CatalogClient, FetchError } from './catalog.client.js';

jest.setTimeout(30_000);

const LIMIT = 32 * 1024 * 1024;

let simulator: ChutesSimulator;
let client: CatalogClient;

beforeEach(async () => {
  simulator = await ChutesSimulator.start();
  client = clientWith({});
});

afterEach(async () => {
  await client.onApplicationShutdown();
  await simulator.close();
});

function clientWith(env: Readonly<Record<string, string>>): CatalogClient {
  return new CatalogClient(loadConfig(env));
}

async function get(path = '/v1/models'): Promise<Buffer> {
  return client.get(new URL(path, simulator.url));
}

describe('a good answer', () => {
  it('CAT-1: is asked for with a GET of the very path and query', async () => {
    await get('/v1/models?limit=all&page=0');
    const { method, path, headers, body } = await simulator.nextRequest('/v1/models');
    expect([method, path, body.length]).toEqual(['GET', '/v1/models?limit=all&page=0', 0]);
    expect(headers).toMatchObject({ host: new URL(simulator.url).host, accept: 'application/json' });
  });

  it('CAT-8: is decoded', async () => {
    simulator.models = ['a/one'];
    const body = await get();
    const { headers } = await simulator.nextRequest('/v1/models');
    expect(headers['accept-encoding']).toBe('gzip');
    expect(JSON.parse(body.toString())).toEqual({ object: 'list', data: simulator.models });
  });

  it.each([
    ['GZIP', gzipSync('\uFEFF[1]')],
    ['x-gzip', gzipSync('[1]')],
    [' Gzip\t', gzipSync('[1]')],
    ['identity, gzip', gzipSync('[1]')],
    ['Identity', Buffer.from('\uFEFF[1]')],
    ['', Buffer.from('[1]')],
    [' ', Buffer.from('[1]')],
    [undefined, Buffer.from('\uFEFF[1]')],
  ])('CAT-20: is read whatever the spelling of its coding: %j', async (coding, body) => {
    const headers = coding === undefined ? {} : { 'content-encoding': coding };
    simulator.feed('models', answering({ headers, body }));
    expect((await get()).toString()).toBe('[1]');
  });

  it('CAT-7: may come late, as long as it is in time', async () => {
    simulator.feed('models', { kind: 'slow', ms: 50 });
    expect((await get()).length).toBeGreaterThan(0);
  });
});

describe('a failure', () => {
  it.each([301, 302, 304, 307, 308, 400, 404, 429, 500, 503])('CAT-6: status %i', async (status) => {
    simulator.feed('models', answering({ status, headers: { location: '/elsewhere' }, body: '' }));
    await expect(get()).rejects.toThrow(new FetchError(`status ${status}`));
    await simulator.nextRequest('/v1/models');
    expect(simulator.requests.map(({ pathname }) => pathname)).toEqual(['/v1/models']);
  });

  it.each(['reset', 'cut'] as const)('CAT-6: a connection that breaks: %s', async (behaviour) => {
    simulator.feed('models', behaviour);
    await expect(get()).rejects.toThrow(FetchError);
  });

  it('CAT-6: a connection that is refused', async () => {
    const url = new URL(`http://127.0.0.1:${await closedPort()}`);
    await expect(client.get(url)).rejects.toThrow('ECONNREFUSED');
  });

  it('CAT-6: leaves no body behind that holds its connection', async () => {
    simulator.feed('models', endless(500));
    await expect(get()).rejects.toThrow('status 500');
    await (
      await simulator.nextRequest('/v1/models')
    ).aborted;
  });

  it.each([
    ['truncated', gzipSync('{"data":[]}').subarray(0, -12), 'gzip'],
    ['plain', '{"data":[]}', 'gzip'],
    ['garbage', Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), 'X-GZIP'],
    ['compressed twice', gzipSync(gzipSync('{"data":[]}')), 'gzip, gzip'],
    ['of a kind that was not asked for', '{"data":[]}', 'br'],
  ])('CAT-9: a compressed body that is %s', async (_what, body, encoding) => {
    simulator.feed('models', answering({ headers: { 'content-encoding': encoding }, body }));
    await expect(get()).rejects.toThrow(FetchError);
  });
});

describe('the time limit', () => {
  const tooLate = new FetchError('no complete answer within 100 ms');

  beforeEach(() => {
    client = clientWith({ CONTROL_PLANE_TIMEOUT_MS: '100' });
  });

  it.each(['silent', 'stall'] as const)(
    'CAT-7: holds for an answer that does not come in full: %s',
    async (how) => {
      simulator.feed('models', how);
      await expect(get()).rejects.toThrow(tooLate);
      await (
        await simulator.nextRequest('/v1/models')
      ).aborted;
    },
  );

  it('CAT-7: holds for the whole fetch, however steadily the answer trickles in', async () => {
    simulator.feed('models', {
      kind: 'scripted',
      script: async (exchange) => {
        await exchange.head(200);
        for (;;) {
          await exchange.write(' ');
          await exchange.sleep(10);
        }
      },
    });
    await expect(get()).rejects.toThrow(tooLate);
  });

  it('CAT-7: holds while the connection is being made', async () => {
    const mute = await MuteServer.start();
    try {
      await expect(client.get(new URL(`https://127.0.0.1:${mute.port}`))).rejects.toThrow(tooLate);
    } finally {
      await mute.close();
    }
  });
});

describe('the size limit', () => {
  const json = Buffer.alloc(LIMIT + 1, ' ');
  json.write('{"data":[]}');
  const tooLarge = new FetchError(`larger than ${LIMIT} bytes`);

  it.each([
    ['plain', (body: Buffer) => answering({ body })],
    [
      'gzipped',
      (body: Buffer) => answering({ headers: { 'content-encoding': 'gzip' }, body: gzipSync(body) }),
    ],
  ])('CAT-8: is 32 MiB of decoded bytes: %s', async (_kind, feed) => {
    simulator.feed('models', feed(json.subarray(0, LIMIT)));
    expect((await get()).length).toBe(LIMIT);
    simulator.feed('models', feed(json));
    await expect(get()).rejects.toThrow(tooLarge);
  });

  it('CAT-8: ends the download of a body that goes on for ever', async () => {
    simulator.feed('models', endless(200));
    await expect(get()).rejects.toThrow(tooLarge);
    await (
      await simulator.nextRequest('/v1/models')
    ).aborted;
  });
});

function answering(answer: {
  status?: number;
  headers?: Record<string, string>;
  body: string | Buffer;
}): FeedBehaviour {
  return { kind: 'body', ...answer };
}

function endless(status: number): FeedBehaviour {
  const piece = Buffer.alloc(1024 * 1024, ' ');
  return {
    kind: 'scripted',
    script: async (exchange) => {
      await exchange.head(status);
      for (;;) await exchange.write(piece);
    },
  };
}

/** Accepts connections and says nothing: a TLS handshake with it never ends. */
class MuteServer {
  private readonly sockets: Socket[] = [];

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => this.sockets.push(socket.on('error', () => {})));
  }

  static async start(): Promise<MuteServer> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new MuteServer(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}
