import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { countReadStep, limitTurns } from '../runtime/turn-limit.timer.js';
import { ReadTurns } from './read-turns.socket.js';

const describeLinux = process.platform === 'linux' ? describe : describe.skip;

let nowMs = 0;
let server: Server;
let turns: ReadTurns;
let accepted: Socket[];
let clients: Socket[];
/** Who was read, turn by turn. */
let read: number[][];

beforeEach(async () => {
  jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  jest.spyOn(process, 'kill').mockReturnValue(true);
  limitTurns();
  turns = new ReadTurns();
  accepted = [];
  clients = [];
  read = [[]];
  server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  turns.close();
  for (const socket of [...clients, ...accepted]) socket.destroy();
  server.close();
  await once(server, 'close');
  jest.restoreAllMocks();
});

/** Connections that have sent a byte, all of it there and none of it read. */
async function connected(count: number): Promise<void> {
  const { port } = server.address() as AddressInfo;
  for (let number = 0; number < count; number += 1) {
    const accepting = once(server, 'connection') as Promise<[Socket]>;
    const client = connect(port, '127.0.0.1');
    clients.push(client);
    const [socket] = await accepting;
    accepted.push(socket);
    turns.add(socket);
    await send(client);
  }
}

async function send(client: Socket): Promise<void> {
  await new Promise((written) => client.write('.', written));
}

/** Each of them takes so long that no other has its turn; unless it is said how many have. */
function readAll(perTurn = 1): void {
  accepted.forEach((socket, number) => readOne(socket, number, perTurn));
}

function readOne(socket: Socket, number: number, perTurn: number): void {
  socket.on('data', () => {
    const inTurn = read.at(-1) as number[];
    if (inTurn.push(number) === 1) setImmediate(() => read.push([]));
    if (inTurn.length === perTurn) takeLong();
  });
  socket.resume();
}

function takeLong(): void {
  for (let step = 0; step < 256; step += 1) countReadStep();
  nowMs += 51;
  for (let step = 0; step < 256; step += 1) countReadStep();
}

async function allRead(times: number): Promise<void> {
  while (read.flat().length < times) await new Promise((resolve) => setImmediate(resolve));
}

describeLinux('on Linux', () => {
  test('CFG-59: what clients send is put off once the turn has taken too long, and nothing of it is lost', async () => {
    await connected(8);
    readAll();
    await allRead(8);
    expect(read.filter(({ length }) => length > 0)).toEqual([[0], [1], [2], [3], [4], [5], [6], [7]]);
  });

  test('CFG-59: whoever was put off longer goes first, also before those that send again', async () => {
    await connected(4);
    readAll(2);
    await allRead(2);
    await send(clients[0] as Socket);
    await allRead(5);
    expect(read.flat()).toEqual([0, 1, 2, 3, 0]);
  });

  test('CFG-59: no more than 256 of them are read again in one turn', async () => {
    await connected(600);
    accepted.forEach((socket) => socket.resume());
    const resume = jest.spyOn(Socket.prototype, 'resume');
    takeLong();
    const resumed: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      resume.mockClear();
      await new Promise((resolve) => setImmediate(resolve));
      resumed.push(resume.mock.calls.length);
    }
    expect(resumed.filter((count) => count > 0)).toEqual([256, 256, 88]);
  });

  test('CFG-59: a client that waits for its answer is not put off, nor is one that nobody reads resumed', async () => {
    await connected(2);
    const [waits, unread] = accepted as [Socket, Socket];
    const request = { complete: true };
    Object.assign(waits, { _httpMessage: { req: request }, parser: { incoming: request } });
    waits.resume();
    takeLong();
    expect(waits.isPaused()).toBe(false);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(unread.isPaused()).toBe(true);
  });

  test('CFG-59: at the end all of them are read again', async () => {
    await connected(100);
    accepted.forEach((socket) => socket.resume());
    takeLong();
    expect(accepted.every((socket) => socket.isPaused())).toBe(true);
    turns.close();
    expect(accepted.some((socket) => socket.isPaused())).toBe(false);
  });

  test('CFG-59: new connections wait behind those that are put off', async () => {
    await connected(65);
    accepted.forEach((socket) => socket.resume());
    takeLong();
    const accepting = once(server, 'connection') as Promise<[Socket]>;
    clients.push(connect(portOf(server), '127.0.0.1'));
    const [newcomer] = await accepting;
    const [oldest] = accepted as [Socket];
    accepted.push(newcomer);
    newcomer.resume();
    takeLong();
    turns.add(newcomer);
    await new Promise((resolve) => process.nextTick(resolve));
    expect([oldest.isPaused(), newcomer.isPaused()]).toEqual([true, true]);
    await nextTurn();
    expect([oldest.isPaused(), newcomer.isPaused()]).toEqual([false, true]);
    await nextTurn();
    expect(newcomer.isPaused()).toBe(false);
  });

  test('CFG-59: a client that sends a body while it waits for an answer is put off, too', async () => {
    const http = createHttpServer(() => {}).listen(0, '127.0.0.1');
    await once(http, 'listening');
    const accepting = once(http, 'connection') as Promise<[Socket]>;
    const client = connect(portOf(http), '127.0.0.1');
    const [socket] = await accepting;
    turns.add(socket);
    client.write('GET /first HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(http, 'request');
    takeLong();
    expect(socket.isPaused()).toBe(false);
    await nextTurn();
    client.write('POST /second HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n.');
    await once(http, 'request');
    takeLong();
    expect(socket.isPaused()).toBe(true);
    client.destroy();
    http.close();
    await once(http, 'close');
  });

  test('CFG-59: a client that sends without end does not come before others again and again', async () => {
    const http = createHttpServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    http.on('connection', (socket) => turns.add(socket));
    const pieces: string[] = [];
    http.on('request', (request: IncomingMessage) => {
      request.on('data', () => {
        pieces.push(request.url as string);
        takeLong();
      });
    });
    for (const number of Array.from({ length: 4 }).keys()) {
      const client = connect(portOf(http), '127.0.0.1');
      clients.push(client);
      client.write(
        `POST /${number} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(400_000)}`,
      );
    }
    while (pieces.length < 16) await nextTurn();
    for (const client of clients) client.destroy();
    http.close();
    await once(http, 'close');
    expect(new Set(pieces.slice(0, 12)).size).toBe(4);
  });
});

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function portOf(listening: { address(): unknown }): number {
  return (listening.address() as AddressInfo).port;
}
