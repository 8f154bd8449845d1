import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { afterHandshake, RedisStranger, type Reply } from '../../test/support/redis-stranger.js';
import { eventually } from '../../test/support/router.js';
import { RedisConnection } from './redis-connection.client.js';

const GET = ['GET', 'key'];
/** No answer is this late, however busy the machine is. */
const PATIENT_MS = 20_000;
const IMPATIENT_MS = 50;
/** What is thrown where there is no connection any more, or not yet. */
const GONE = /client is (?:closed|offline)|Disconnects client|aborted/;

let stranger: RedisStranger;
let connection: RedisConnection;
let troubles: string[];

afterEach(async () => {
  jest.restoreAllMocks();
  connection.close('the end of the test');
  await stranger.close();
});

async function connect(reply: Reply, timeoutMs = PATIENT_MS): Promise<void> {
  stranger = await RedisStranger.start(reply);
  troubles = [];
  connection = new RedisConnection({ url: stranger.url, timeoutMs }, (reason) => void troubles.push(reason));
}

/** One that answers the handshake, and commands when it is told to. */
async function open(reply: Reply = () => undefined, timeoutMs = PATIENT_MS): Promise<void> {
  await connect(afterHandshake(reply), timeoutMs);
  await connection.open();
}

/** How many commands have arrived. */
function arrived(): number {
  return stranger.received.split('GET').length - 1;
}

describe('commands', () => {
  test('STK-25: an answer is handed on, an error answer thrown', async () => {
    const answers = ['$2\r\nok\r\n', '-OOM no memory\r\n', '_\r\n'];
    await open(() => answers.shift());
    expect(await connection.send(GET)).toBe('ok');
    await expect(connection.send(GET)).rejects.toThrow('OOM');
    expect(await connection.send(GET)).toBeNull();
    expect(troubles).toEqual(['OOM']);
  });

  test('STK-25: one that is not answered fails after its time, long before the connection is given up', async () => {
    await open(() => undefined, IMPATIENT_MS);
    const events: string[] = [];
    void connection.ended.then(() => events.push('given up'));
    const failed = connection.send(GET).catch(() => events.push('failed'));
    await Promise.all([failed, connection.ended]);
    expect(events).toEqual(['failed', 'given up']);
    expect(troubles).toEqual(['timeout']);
    expect(await connection.ended).toBe('silence');
  });

  test('STK-25: an answer that is there counts, though this process had no time to read it', async () => {
    const timeoutMs = 500;
    await open((_, socket) => {
      socket.write('+ok\r\n');
      // The stranger lives in this process.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * timeoutMs);
      return undefined;
    }, timeoutMs);
    expect(await connection.send(GET)).toBe('ok');
  });

  test('STK-29: while an answer is overdue nothing is sent, and when it comes all goes on', async () => {
    await open(() => (arrived() === 1 ? undefined : '+ok\r\n'), 100);
    await expect(connection.send(GET)).rejects.toThrow('too long');
    for (let i = 0; i < 100; i += 1) await expect(connection.send(GET)).rejects.toThrow('behind');
    expect(arrived()).toBe(1);
    for (const socket of stranger.sockets) socket.write('+late\r\n');
    let reply: unknown;
    await eventually(async () => {
      reply = await connection.send(GET).catch(() => undefined);
      return reply !== undefined;
    });
    expect(reply).toBe('ok');
    // Those that failed at once were never sent.
    expect(arrived()).toBe(2);
  });

  test('STK-29: no more than so many wait for an answer at a time', async () => {
    await open(() => undefined, 5_000);
    const replies = Array.from({ length: 1_500 }, () => connection.send(GET));
    const refused = await Promise.allSettled(replies.slice(1_000));
    expect(refused.filter(({ status }) => status === 'rejected')).toHaveLength(500);
    await eventually(() => arrived() === 1_000);
    connection.close('over');
    const others = await Promise.allSettled(replies);
    expect(others.filter(({ status }) => status === 'rejected')).toHaveLength(1_500);
  });
});

describe('the end of a connection', () => {
  test.each<[string, string, Reply, string]>([
    ['STK-30', 'that is closed', (_, socket) => void socket.end(), 'closed'],
    ['STK-30', 'that is reset', (_, socket) => void socket.resetAndDestroy(), 'ECONNRESET'],
    ['STK-25', 'with bytes of another language', () => 'HTTP/1.1 400 Bad Request\r\n\r\n', 'unreadable'],
    ['STK-25', 'with an answer too many', () => '+ok\r\n+ok\r\n', 'unreadable'],
    [
      'STK-35',
      'to a replica',
      () => "-READONLY You can't write against a read only replica.\r\n",
      'READONLY',
    ],
    [
      'STK-35',
      'to a replica without a primary',
      () => '-MASTERDOWN Link with MASTER is down\r\n',
      'MASTERDOWN',
    ],
    [
      'STK-35',
      'to a primary without replicas',
      () => '-NOREPLICAS Not enough good replicas\r\n',
      'NOREPLICAS',
    ],
  ])('%s: %s', async (_clause, _, reply, reason) => {
    await open(reply);
    await connection.send(GET).catch(() => {});
    expect(await connection.ended).toBe(reason);
    await expect(connection.send(GET)).rejects.toThrow(GONE);
    await eventually(() => stranger.sockets.size === 0);
  });

  test('STK-29: what waits for an answer fails, and so does what comes after', async () => {
    await open(() => undefined, 60_000);
    const waiting = connection.send(GET);
    connection.close('over');
    await expect(waiting).rejects.toThrow(GONE);
    await expect(connection.send(GET)).rejects.toThrow(GONE);
    expect(await connection.ended).toBe('over');
  });
});

describe('connecting', () => {
  test.each<[string, string, Reply, string]>([
    ['STK-30', 'one that says nothing', () => undefined, 'timeout'],
    ['STK-25', 'one that speaks HTTP', () => 'HTTP/1.1 400 Bad Request\r\n\r\n', 'unreadable'],
    ['STK-30', 'one that hangs up', (_, socket) => void socket.end(), 'closed'],
    [
      'STK-31',
      'one that wants another password',
      () => '-WRONGPASS invalid username-password pair\r\n',
      'WRONGPASS',
    ],
    [
      'STK-31',
      'one that repeats what it hears',
      (received) => `-ERR unknown ${received.replaceAll(/\s/g, ' ')}\r\n`,
      'ERR',
    ],
    ['STK-31', 'one that talks nonsense in its errors', () => '-hunter2\r\n', 'ERR'],
  ])('%s: to %s fails', async (_clause, _, reply, reason) => {
    await connect(reply);
    const outcome = await connection.open().then(
      () => 'open',
      () => 'failed',
    );
    expect(outcome).toBe('failed');
    expect(await connection.ended).toBe(reason);
    await eventually(() => stranger.sockets.size === 0);
  });

  test('STK-29: before it has succeeded, commands fail at once', async () => {
    await connect(() => undefined, 60_000);
    const opened = connection.open();
    await expect(connection.send(GET)).rejects.toThrow(GONE);
    await eventually(() => stranger.received.includes('HELLO'));
    await expect(connection.send(GET)).rejects.toThrow(GONE);
    connection.close('over');
    await expect(opened).rejects.toThrow(GONE);
    expect(arrived()).toBe(0);
  });

  test.each([
    ['at once', 'redis', ''],
    ['in the handshake', 'redis', 'HELLO'],
    ['in the handshake of TLS', 'rediss', '\u0016\u0003'],
  ])('STK-33: can be ended %s, and leaves no socket', async (_, scheme, sent) => {
    stranger = await RedisStranger.start(() => undefined);
    const url = stranger.url.replace('redis', scheme);
    connection = new RedisConnection({ url, timeoutMs: PATIENT_MS }, () => {});
    const opened = connection.open();
    await eventually(() => stranger.received.includes(sent));
    connection.close('over');
    await expect(opened).rejects.toThrow(GONE);
    expect(await connection.ended).toBe('over');
    await eventually(() => stranger.sockets.size === 0);
  });
});
