import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ChutesSimulator } from './chutes-simulator.js';
import type { Exchange } from './exchange.js';

const SSE = { 'content-type': 'text/event-stream' };
let simulator: ChutesSimulator;

beforeEach(async () => {
  simulator = await ChutesSimulator.start();
});

afterEach(async () => {
  await simulator.close();
});

function follow(script: (exchange: Exchange) => Promise<void> | void): void {
  simulator.behave('x', { kind: 'scripted', script });
}

async function ask(signal?: AbortSignal): Promise<Response> {
  const body = JSON.stringify({ model: 'x', stream: true });
  return fetch(`${simulator.url}/v1/chat/completions`, { method: 'POST', body, ...(signal && { signal }) });
}

describe('a script', () => {
  test('SIM-20: writes one event at a time, each there before the next is written', async () => {
    const gate = Promise.withResolvers<void>();
    follow(async (exchange) => {
      await exchange.head(200, SSE);
      await exchange.event({ n: 1 });
      await gate.promise;
      await exchange.event('[DONE]');
    });
    const response = await ask();
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe('data: {"n":1}\n\n');
    gate.resolve();
    expect((await reader?.read())?.value).toBe('data: [DONE]\n\n');
    expect((await reader?.read())?.done).toBe(true);
  });

  test('SIM-20: sends headers alone', async () => {
    follow(async (exchange) => {
      await exchange.head(201, SSE);
      await exchange.silence();
    });
    expect((await ask()).status).toBe(201);
  });

  test('SIM-20: ends, resets and closes', async () => {
    follow(async (exchange) => {
      await exchange.head(200);
      await exchange.end('all');
    });
    expect(await (await ask()).text()).toBe('all');
    follow((exchange) => exchange.reset());
    await expect(ask()).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
    follow((exchange) => exchange.close());
    await expect(ask()).rejects.toMatchObject({ cause: { code: 'UND_ERR_SOCKET' } });
    expect(simulator.generations.map(({ ending }) => ending)).toEqual(['answered', 'cut', 'cut']);
  });

  test('SIM-20: writes below HTTP', async () => {
    follow(async (exchange) => {
      await exchange.raw('HTTP/1.1 299 Odd\r\nContent-Length: 2\r\n\r\nok');
    });
    const response = await ask();
    expect([response.status, await response.text()]).toEqual([299, 'ok']);
  });

  test.each<[string, (exchange: Exchange) => Promise<void>]>([
    ['silence', (exchange) => exchange.silence()],
    ['a sleep', (exchange) => exchange.sleep(60_000)],
    ['writing to a client that reads nothing', (exchange) => writeForEver(exchange)],
  ])('SIM-20: %s ends when the client leaves', async (_, wait) => {
    const over = Promise.withResolvers<boolean>();
    follow(async (exchange) => {
      try {
        await exchange.head(200, SSE);
        await wait(exchange);
      } finally {
        await exchange.closed;
        over.resolve(exchange.isOver);
      }
    });
    const client = new AbortController();
    await ask(client.signal);
    const request = await simulator.nextRequest();
    client.abort();
    await request.aborted;
    await expect(over.promise).resolves.toBe(true);
    expect(simulator.scriptErrors).toEqual([]);
  });

  test('SIM-20: that throws cuts its connection and leaves its error', async () => {
    follow(() => {
      throw new Error('wrong in the test');
    });
    await expect(ask()).rejects.toThrow('fetch failed');
    expect(simulator.scriptErrors).toEqual([new Error('wrong in the test')]);
  });
});

async function writeForEver(exchange: Exchange): Promise<void> {
  await exchange.write(Buffer.alloc(1024 * 1024));
  return writeForEver(exchange);
}
