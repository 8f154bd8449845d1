import type { ChutesSimulator } from '../../src/simulator/chutes-simulator.js';
import { chatRequest } from './chat-request.js';
import { type RouterProcess, startProcess } from './process.js';
import { RawClient } from './raw-client.js';
import type { RawResponse } from './raw-response.js';
import { type Env, environmentFor, eventually } from './router.js';

const EVENT_STREAM = { 'content-type': 'text/event-stream' };

/** Models that stay busy for as long as a test wants. */
export interface BusyModels {
  /** Lets the answers of `a/first` end well. */
  release(): void;
}

/** `a/first` streams until it is released, `b/stalls` streams for ever, `c/silent` says nothing, `d/half` half of a JSON. */
export function makeBusy(chutes: ChutesSimulator): BusyModels {
  const models = ['a/first', 'b/stalls', 'c/silent', 'd/half'];
  chutes.models = models;
  chutes.utilization = models;
  const released = Promise.withResolvers<void>();
  chutes.behave('a/first', {
    kind: 'scripted',
    script: async (exchange) => {
      await exchange.head(200, EVENT_STREAM);
      await exchange.event({ n: 1 });
      await released.promise;
      await exchange.event('[DONE]');
    },
  });
  chutes.behave('b/stalls', 'stall');
  chutes.behave('c/silent', 'silent');
  chutes.behave('d/half', {
    kind: 'scripted',
    script: async (exchange) => {
      await exchange.head(200, { 'content-type': 'application/json' });
      await exchange.write('{"half":');
      await exchange.silence();
    },
  });
  return { release: released.resolve };
}

/** A router process that has both feeds. */
export async function startReady(
  chutes: ChutesSimulator,
  env: Env = {},
): Promise<{ router: RouterProcess; url: string; port: number }> {
  const router = await startProcess({ ...environmentFor(chutes.url), ...env });
  const url = await router.url;
  await eventually(async () => (await fetch(`${url}/readyz`)).ok);
  return { router, url, port: Number(new URL(url).port) };
}

/** Waits until nobody listens at a port any more. */
export async function untilRefused(port: number): Promise<void> {
  await eventually(async () => {
    try {
      (await RawClient.open(port)).close();
      return false;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
    }
  });
}

/** Opens streams and waits for the first event of each. */
export async function runningStreams(port: number, model: string, count: number): Promise<RawClient[]> {
  const request = chatRequest({ model, stream: true });
  const clients = await Promise.all(Array.from({ length: count }, () => RawClient.open(port, request)));
  await Promise.all(clients.map((client) => client.receives('data: ')));
  return clients;
}

/** Opens a stream and waits for its first event. */
export async function runningStream(port: number, model: string): Promise<RawClient> {
  const [client] = await runningStreams(port, model, 1);
  return client as RawClient;
}

/** The code of the router's own error in a response. */
export function codeIn({ body }: RawResponse): string {
  return (JSON.parse(body.toString()) as { error: { code: string } }).error.code;
}
