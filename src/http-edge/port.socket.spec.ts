import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { eventually } from '../../test/support/router.js';
import { Port } from './port.socket.js';

jest.setTimeout(60_000);

const HOST = '127.0.0.1';
/** Where listeners can share an address. */
const describeLinux = process.platform === 'linux' ? describe : describe.skip;

const clients: Socket[] = [];
const servers: { readonly server: Server; readonly port: Port }[] = [];
let refused = 0;

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  for (const { server, port } of servers.splice(0)) {
    port.close();
    server.closeAllConnections();
  }
  refused = 0;
});

/** A server whose answer is its path, at a port with so many connections at most. */
async function open(maxConnections: number, port = 0): Promise<{ port: Port; at: number }> {
  const server = createServer((request, response) => response.end(request.url));
  const opened = new Port(server, maxConnections, () => {
    refused += 1;
  });
  servers.push({ server, port: opened });
  await opened.listen({ host: HOST, port }, async (options) => {
    const listening = Promise.withResolvers<void>();
    server.once('error', listening.reject).listen(options, listening.resolve);
    await listening.promise;
  });
  return { port: opened, at: (server.address() as AddressInfo).port };
}

async function dial(port: number): Promise<Socket> {
  const client = connect(port, HOST);
  client.on('error', () => {});
  clients.push(client);
  await once(client, 'connect');
  return client;
}

function listenersAt(port: number): number {
  const address = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n');
  return lines.filter((line) => line.includes(` ${address} 00000000:0000 0A `)).length;
}

describe('the limit', () => {
  test('CFG-49, CFG-24: holds for all listeners together, and what is beyond it is refused and told', async () => {
    const { port, at } = await open(70);
    const kept = await Promise.all(Array.from({ length: 70 }, async () => dial(at)));
    await eventually(() => port.connections === 70);
    const beyond = await Promise.all(Array.from({ length: 20 }, async () => dial(at)));
    await Promise.all(beyond.map(async (client) => client.closed || once(client.resume(), 'close')));
    expect([port.connections, refused]).toEqual([70, 20]);

    for (const client of kept.slice(0, 2)) client.destroy();
    await eventually(() => port.connections === 68);
    expect(await (await fetch(`${port.url}/served`)).text()).toBe('/served');
    expect(refused).toBe(20);
  });

  test('CFG-49: a request is served whichever listener its connection came by', async () => {
    const { port } = await open(256);
    const paths = Array.from({ length: 50 }, (_, n) => `/${n}`);
    const answers = paths.map(async (path) =>
      (await fetch(port.url + path, { headers: { connection: 'close' } })).text(),
    );
    expect(await Promise.all(answers)).toEqual(paths);
  });
});

describe('listeners', () => {
  test('CFG-49, HLT-14: when they are closed nobody gets in, and who is in stays', async () => {
    const { port, at } = await open(256);
    const inside = await dial(at);
    await eventually(() => port.connections === 1);
    port.close();
    await expect(fetch(`http://${HOST}:${at}/`)).rejects.toThrow('fetch failed');
    inside.write('GET /late HTTP/1.1\r\nHost: x\r\n\r\n');
    const [answer] = (await once(inside, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('CFG-49: an address that another router has is not shared with it', async () => {
    const { at } = await open(256);
    await expect(open(256, at)).rejects.toThrow(`EADDRINUSE: address already in use ${HOST}:${at}`);
  });

  test('CFG-49: nor is one that any other program has', async () => {
    const other = createTcpServer().listen(0, HOST);
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await expect(open(256, port)).rejects.toThrow('EADDRINUSE');
    other.close();
  });
});

describeLinux('on Linux', () => {
  test.each([
    [1, 1],
    [32, 1],
    [33, 2],
    [1_024, 32],
  ])('CFG-49: for %i connections there are %i', async (maxConnections, count) => {
    const { port, at } = await open(maxConnections);
    expect(listenersAt(at)).toBe(count);
    port.close();
    await eventually(() => listenersAt(at) === 0);
  });

  test('CFG-48: a thousand connections wait to be accepted while the router is busy', async () => {
    expect(Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'))).toBeGreaterThan(1_000);
    const { port, at } = await open(32);
    const script = `const { connect } = require('node:net');
      let open = 0;
      for (let i = 0; i < 1000; i += 1)
        connect(${at}, '${HOST}', () => ++open === 1000 && process.stdout.write('all', () => process.exit()));`;
    // This process stands still meanwhile, and accepts none.
    expect(execFileSync(process.execPath, ['-e', script], { timeout: 30_000 }).toString()).toBe('all');
    expect(port.connections).toBe(0);
  });
});
