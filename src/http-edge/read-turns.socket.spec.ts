import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { countStep, limitTurns } from '../runtime/turn-limit.timer.js';
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
  accepted = [];
  clients = [];
  read = [[]];
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
  accepted.forEach((socket, number) => {
    socket.on('data', () => {
      const turn = read.at(-1) as number[];
      if (turn.push(number) === 1) setImmediate(() => read.push([]));
      if (turn.length === perTurn) takeLong();
    });
    socket.resume();
  });
}

function takeLong(): void {
  for (let step = 0; step < 256; step += 1) countStep();
  nowMs += 51;
  for (let step = 0; step < 256; step += 1) countStep();
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

  test('CFG-59: no more than 64 of them are read again in one turn', async () => {
    await connected(150);
    accepted.forEach((socket) => socket.resume());
    const resume = jest.spyOn(Socket.prototype, 'resume');
    takeLong();
    const resumed: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      resume.mockClear();
      await new Promise((resolve) => setImmediate(resolve));
      resumed.push(resume.mock.calls.length);
    }
    expect(resumed.filter((count) => count > 0)).toEqual([64, 64, 22]);
  });

  test('CFG-59: a client that waits for its answer is not put off, nor is one that nobody reads resumed', async () => {
    await connected(2);
    const [waits, unread] = accepted as [Socket, Socket];
    Object.assign(waits, { _httpMessage: { req: { complete: true } } });
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
});
