import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { closedPort } from '../../test/support/ports.js';
import { afterHandshake, RedisStranger, type Reply } from '../../test/support/redis-stranger.js';
import { eventually } from '../../test/support/router.js';
import { RedisClient } from './redis.client.js';

const GET = ['GET', 'key'];

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly reason?: string;
}

let lines: Line[];
let ended: Promise<void>;
let client: RedisClient | undefined;
let stranger: RedisStranger | undefined;

afterEach(async () => {
  client?.close();
  await ended;
  await stranger?.close();
});

function run(url: string, timeoutMs = 5_000): RedisClient {
  lines = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Line) };
  const formatters = { level: (level: string) => ({ level }) };
  const logger = pino({ level: 'trace', base: null, timestamp: false, formatters }, destination);
  client = new RedisClient({ url, timeoutMs }, logger);
  ended = client.run();
  return client;
}

async function runAt(reply: Reply): Promise<RedisClient> {
  stranger = await RedisStranger.start(reply);
  return run(stranger.url);
}

async function logged(msg: string, times = 1): Promise<void> {
  await eventually(() => lines.filter((line) => line.msg === msg).length >= times);
}

const CONNECTED = 'redis connected';
const LOST = 'redis lost, going on without pins';
const FAILED = 'redis failed a command';

describe('what is logged', () => {
  test('STK-31: that Redis is lost, once, however often it is tried again', async () => {
    run(`redis://me:hunter2@127.0.0.1:${await closedPort()}`);
    await logged(LOST, 4);
    const reason = 'ECONNREFUSED';
    const [first, ...others] = lines;
    expect(first).toEqual({ level: 'warn', reason, msg: LOST });
    expect(new Set(others.map(({ level }) => level))).toEqual(new Set(['debug']));
    expect(JSON.stringify(lines)).not.toMatch(/hunter2|127\.0\.0\.1/);
  });

  test('STK-31: its loss and its return, each time', async () => {
    await runAt(afterHandshake(() => '+ok\r\n'));
    for (let times = 1; times <= 3; times += 1) {
      await logged(CONNECTED, times);
      expect(await client?.send(GET)).toBe('ok');
      for (const socket of stranger?.sockets ?? []) socket.end();
      await logged(LOST, times);
    }
    expect(lines.slice(0, 6).map(({ level, msg }) => `${level} ${msg}`)).toEqual(
      [1, 2, 3].flatMap(() => [`info ${CONNECTED}`, `warn ${LOST}`]),
    );
  });

  test('STK-31: of each kind of failing command one line, anew for each connection', async () => {
    const errors = ['-LOADING the dataset\r\n', '-OOM no memory\r\n'];
    let n = 0;
    await runAt(afterHandshake(() => errors[(n += 1) % 2]));
    for (let times = 1; times <= 2; times += 1) {
      await logged(CONNECTED, times);
      for (let i = 0; i < 6; i += 1) await expect(client?.send(GET)).rejects.toThrow(/LOADING|OOM/);
      const failures = lines.filter(({ msg }) => msg === FAILED).map(({ reason }) => reason);
      expect(failures).toHaveLength(2 * times);
      expect(new Set(failures.slice(-2))).toEqual(new Set(['OOM', 'LOADING']));
      for (const socket of stranger?.sockets ?? []) socket.end();
    }
  });

  test('STK-31: of an answer its code alone: a server may repeat the password', async () => {
    stranger = await RedisStranger.start((received) => `-ERR what is ${JSON.stringify(received)}?\r\n`);
    run(stranger.url.replace('//', '//me:hunter2@'));
    await logged(LOST, 2);
    expect(stranger.received).toContain('hunter2');
    expect(lines[0]).toEqual({ level: 'warn', reason: 'ERR', msg: LOST });
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });
});

describe('trying again', () => {
  test('STK-30: one that answers nothing but the handshake is tried less and less often', async () => {
    await runAt(afterHandshake((_, socket) => void socket.end()));
    const moments: number[] = [];
    for (let times = 1; times <= 5; times += 1) {
      await logged(CONNECTED, times);
      moments.push(performance.now());
      await client?.send(GET).catch(() => {});
    }
    // At least half of 100, 200, 400 and 800 ms.
    const [first = 0, last = 0] = [moments[0], moments.at(-1)];
    expect(last - first).toBeGreaterThanOrEqual(740);
  });

  test('STK-29: what was to be sent meanwhile is not sent later', async () => {
    let isDeaf = true;
    await runAt((received, socket) => {
      if (isDeaf) return void socket.end();
      return afterHandshake(() => '+ok\r\n')(received, socket);
    });
    await logged(LOST, 2);
    for (let i = 0; i < 10; i += 1) await client?.send(GET).catch(() => {});
    isDeaf = false;
    await logged(CONNECTED);
    expect(await client?.send(['GET', 'now'])).toBe('ok');
    expect(stranger?.received.split('GET')).toHaveLength(2);
  });
});

describe('a Redis that has lost its role', () => {
  const SET = ['SET', 'key', 'value'];

  test('STK-35, STK-31: counts as lost until a pin can be set, and is tried less and less often', async () => {
    let isReplica = true;
    await runAt(
      afterHandshake((received) =>
        isReplica && received.includes('SET') ? '-READONLY replica\r\n' : '+ok\r\n',
      ),
    );
    await logged(CONNECTED);
    const moments: number[] = [];
    while (moments.length < 5) {
      // Reading works, and is no sign of a primary.
      await eventually(
        () =>
          client?.send(GET).then(
            () => true,
            () => false,
          ) ?? false,
      );
      await expect(client?.set(SET)).rejects.toThrow('READONLY');
      moments.push(performance.now());
    }
    // At least half of 100, 200, 400 and 800 ms.
    expect((moments.at(-1) ?? 0) - (moments[0] ?? 0)).toBeGreaterThanOrEqual(740);
    isReplica = false;
    await eventually(
      () =>
        client?.set(SET).then(
          () => true,
          () => false,
        ) ?? false,
    );
    await client?.set(SET);
    const told = lines.filter(({ level }) => level !== 'debug');
    expect(told).toEqual([
      { level: 'info', msg: CONNECTED },
      { level: 'warn', reason: 'READONLY', msg: LOST },
      { level: 'info', msg: CONNECTED },
    ]);

    isReplica = true;
    await expect(client?.set(SET)).rejects.toThrow('READONLY');
    await logged(LOST, 6);
    expect(lines.at(-1)).toEqual({ level: 'warn', reason: 'READONLY', msg: LOST });
  });

  test.each(['LOADING', 'BUSY', 'OOM', 'MISCONF', 'NOAUTH', 'NOPERM'])(
    'STK-36: one that answers %s has not, and keeps its connection',
    async (code) => {
      let isOver = false;
      await runAt(afterHandshake(() => (isOver ? '+ok\r\n' : `-${code} not now\r\n`)));
      await logged(CONNECTED);
      for (let i = 0; i < 3; i += 1) await expect(client?.set(SET)).rejects.toThrow(code);
      isOver = true;
      await client?.set(SET);
      expect(lines).toEqual([
        { level: 'info', msg: CONNECTED },
        { level: 'warn', reason: code, msg: FAILED },
      ]);
    },
  );

  test.each(['MOVED 3999 10.1.2.3:6381', 'ASK 3999 10.1.2.3:6381', 'CLUSTERDOWN Hash slot not served'])(
    'STK-37: one that answers %s is told to be a cluster',
    async (error) => {
      await runAt(afterHandshake(() => `-${error}\r\n`));
      await logged(CONNECTED);
      for (let i = 0; i < 3; i += 1) await expect(client?.send(GET)).rejects.toThrow(error);
      const [reason = ''] = error.split(' ');
      const msg = 'redis is a cluster, which is not supported';
      expect(lines.slice(1)).toEqual([{ level: 'warn', reason, msg }]);
    },
  );
});

describe('the end', () => {
  test('STK-33: while it is connected', async () => {
    await runAt(afterHandshake(() => '+ok\r\n'));
    await logged(CONNECTED);
    client?.close();
    await ended;
    await eventually(() => stranger?.sockets.size === 0);
    expect(lines).toHaveLength(1);
  });

  test('STK-33: while it is connecting', async () => {
    await runAt(() => undefined);
    await eventually(() => stranger?.received.includes('HELLO') === true);
    client?.close();
    await ended;
    await eventually(() => stranger?.sockets.size === 0);
    expect(lines).toEqual([]);
  });

  test('STK-33: between two tries, of which there is then no other', async () => {
    await runAt((_, socket) => void socket.end());
    await logged(LOST, 3);
    client?.close();
    const soon = new Promise((resolve) => setImmediate(resolve, 'soon'));
    expect(await Promise.race([ended.then(() => 'now'), soon])).toBe('now');
    await expect(client?.send(GET)).rejects.toThrow('no connection');
  });
});
