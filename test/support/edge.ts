import { expect } from '@jest/globals';
import { PortsService } from '../../src/http-edge/ports.service.js';
import type { ChutesSimulator } from '../../src/simulator/chutes-simulator.js';
import { chutesWith } from './chutes-with.js';
import { metricsOf } from './metrics.js';
import { RawClient } from './raw-client.js';
import { headerOf, type RawResponse } from './raw-response.js';
import { type Env, eventually, type LogLine, startRouter, type TestRouter } from './router.js';

export const MODEL = 'a/best';
export const OTHER_MODEL = 'b/other';
export const BODY = `{"model":"${MODEL}"}`;
/** The request line of a completion. */
export const POST = 'POST /v1/chat/completions HTTP/1.1';
/** A whole request for the least of answers. */
export const GET_HEALTH = requestOf('GET /healthz HTTP/1.1', ['Host: x']);

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/** A request as it goes over the wire, each character a byte. Without `body`, no body. */
export function requestOf(line: string, headers: readonly string[], body = ''): Buffer {
  return Buffer.from([line, ...headers, '', body].join('\r\n'), 'latin1');
}

/** A good request for a completion. @param headers further ones */
export function completionOf(body = BODY, headers: readonly string[] = []): Buffer {
  return requestOf(POST, ['Host: x', `Content-Length: ${Buffer.byteLength(body)}`, ...headers], body);
}

/** A good body of so many bytes. @param fields further ones, each with a comma behind it */
export function bodyOf(bytes: number, model = MODEL, fields = ''): string {
  const start = `{"model":"${model}",${fields}"padding":"`;
  return `${start}${'x'.repeat(bytes - start.length - 2)}"}`;
}

/** A router in front of a simulator, and the clients that knock at it. */
export class Edge {
  readonly #clients: RawClient[] = [];

  private constructor(
    readonly chutes: ChutesSimulator,
    readonly router: TestRouter,
  ) {}

  /** The catalog has {@link MODEL} and {@link OTHER_MODEL}. */
  static async start(env: Env = {}): Promise<Edge> {
    const chutes = await chutesWith([MODEL, OTHER_MODEL]);
    return new Edge(chutes, await startRouter(chutes, { LOG_LEVEL: 'trace', ...env }));
  }

  /** A client that has sent these bytes. */
  async open(bytes?: string | Buffer, options?: { outlastsEnd: boolean }): Promise<RawClient> {
    const client = await RawClient.open(this.router.port, bytes, options);
    this.#clients.push(client);
    return client;
  }

  /** An upload of so many bytes that the router is waiting for: it has asked for the body. */
  async beginUpload(bytes: number): Promise<RawClient> {
    const headers = ['Host: x', `Content-Length: ${bytes}`, 'Expect: 100-continue'];
    const client = await this.open(requestOf(POST, headers));
    await client.receives('100 Continue');
    return client;
  }

  /** The answer to exactly these bytes. */
  async answerTo(bytes: string | Buffer): Promise<RawResponse> {
    return (await this.open(bytes)).response();
  }

  /** What `act` returns, and how many requests it has led to upstream. Nothing else may be running. */
  async withArrivals<T>(act: () => Promise<T>): Promise<[result: T, arrivals: number]> {
    const before = this.chutes.count();
    const result = await act();
    // Whatever was on its way has arrived when one that was sent later has come back.
    const { status } = await this.answerTo(completionOf());
    if (status !== 200) throw new Error(`A good request was answered with ${status}.`);
    return [result, this.chutes.count() - before - 1];
  }

  /** Has {@link MODEL} answer no sooner than the returned function is called. */
  holdBack(body: string, headers: Readonly<Record<string, string>> = {}): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.chutes.behave(MODEL, {
      kind: 'scripted',
      script: async (exchange) => {
        await promise;
        exchange.begin(200, headers);
        await exchange.end(body);
      },
    });
    return resolve;
  }

  /** What becomes of these bytes: the first answer, the end, what comes between the two, and how many requests go upstream. */
  async courseOf(bytes: Buffer): Promise<Readonly<Record<string, unknown>>> {
    const [[client, response], arrivals] = await this.withArrivals(async () => {
      const sender = await this.open(bytes);
      return [sender, await sender.response()] as const;
    });
    const end = await client.ended;
    const rest = client.received.toString();
    return { status: response.status, connection: headerOf(response, 'connection'), end, rest, arrivals };
  }

  /** How many clients are connected. */
  connections(): number {
    return this.router.app.get(PortsService).connections;
  }

  /** Waits until no request is running, neither here nor upstream. */
  async settled(): Promise<void> {
    await eventually(async () => (await metricsOf(this.router)).value('requests_active') === 0);
    await eventually(() => this.chutes.generations.every(({ ending }) => ending !== 'open'));
  }

  /** The log lines of finished requests, as far as they count. */
  get counted(): readonly LogLine[] {
    return this.router.requestLogs.filter(({ level }) => level === 'info');
  }

  /** What was logged at `warn` or above, but for what there was no room for. */
  get complaints(): readonly LogLine[] {
    return this.router.logs.filter(
      ({ level, msg }) =>
        ['warn', 'error', 'fatal'].includes(String(level)) && !/^(?:shedding|refusing) /.test(String(msg)),
    );
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.router.close();
    await this.chutes.close();
  }
}

/** An answer as far as it matters for errors. */
export function errorIn(response: RawResponse): Readonly<Record<string, unknown>> {
  const { status, isComplete, body } = response;
  return {
    status,
    isComplete,
    contentType: headerOf(response, 'content-type'),
    requestId: headerOf(response, 'x-request-id'),
    connection: headerOf(response, 'connection'),
    retryAfter: headerOf(response, 'retry-after'),
    body: JSON.parse(body.toString()) as unknown,
  };
}

/** What {@link errorIn} finds in an error of the router, in the contract's shape. */
export function apiError(
  status: number,
  code: string,
  { connection = 'close' } = {},
): ReturnType<typeof errorIn> {
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  return {
    status,
    isComplete: true,
    contentType: 'application/json; charset=utf-8',
    requestId: expect.stringMatching(UUID),
    connection,
    retryAfter: code === 'overloaded' ? expect.stringMatching(/^[1-9]\d*$/) : undefined,
    body: { error: { message: expect.any(String), type, param: null, code } },
  };
}
