/**
 * The load, in a process of its own that lives as long as the benchmark, so that it is compiled and its connections are open
 * when it counts. Is told by messages whom to load and how (`Job`), one at a time, and answers each with a `LoadReport`.
 */
import { chatBody } from './chat-body.ts';
import { Connection } from './connection.ts';

export interface Job {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How long requests are begun, in milliseconds. */
  readonly ms: number;
  readonly path?: string;
  readonly bytes?: number;
  readonly isModelLast?: boolean;
  /** Each sends one request after the other. */
  readonly connections?: number;
  /** So many requests a second instead, however long the answers take. */
  readonly rate?: number;
  /** The most that each connection sends. */
  readonly each?: number;
}

export interface LoadReport {
  readonly requests: number;
  readonly chunks: number;
  readonly failures: number;
  /** Of each answered request, in milliseconds. */
  readonly latencies: readonly number[];
}

class Load {
  private requests = 0;
  private chunks = 0;
  private failures = 0;
  private readonly latencies: number[] = [];
  private readonly job: Job;
  private readonly wire: Buffer;
  private readonly port: number;
  private readonly idle: Connection[];
  private readonly until: number;

  constructor(job: Job) {
    this.job = job;
    this.wire = wireOf(job);
    this.port = Number(new URL(job.url).port);
    this.idle = kept(idle, job.url, () => []);
    this.until = performance.now() + job.ms;
  }

  async run(): Promise<LoadReport> {
    const { connections = 32, rate } = this.job;
    if (rate) await this.atRate(rate);
    else await Promise.all(Array.from({ length: connections }, () => this.oneAfterTheOther()));
    const { requests, chunks, failures, latencies } = this;
    return { requests, chunks, failures, latencies };
  }

  private async oneAfterTheOther(): Promise<void> {
    const { each = Infinity } = this.job;
    for (let n = 0; n < each && performance.now() < this.until; n += 1) await this.send();
  }

  private async atRate(perSecond: number): Promise<void> {
    const running: Promise<void>[] = [];
    let due = performance.now();
    while (performance.now() < this.until) {
      for (; due <= performance.now(); due += 1_000 / perSecond) running.push(this.send());
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    }
    await Promise.all(running);
  }

  private async send(): Promise<void> {
    const startedAt = performance.now();
    const connection = this.connection();
    const { isGood, chunks } = await connection.ask(this.wire);
    this.latencies.push(performance.now() - startedAt);
    this.idle.push(connection);
    this.requests += 1;
    this.chunks += chunks;
    if (!isGood) this.failures += 1;
  }

  private connection(): Connection {
    for (;;) {
      const connection = this.idle.pop() ?? new Connection(this.port);
      if (connection.isOpen) return connection;
    }
  }
}

/** Connections that nobody uses, of each gateway. */
const idle = new Map<string, Connection[]>();
const wires = new Map<string, Buffer>();

function kept<T>(all: Map<string, T>, key: string, make: () => T): T {
  const value = all.get(key) ?? make();
  all.set(key, value);
  return value;
}

function wireOf({
  url,
  path = '/v1/chat/completions',
  headers,
  bytes = 1_024,
  isModelLast = false,
}: Job): Buffer {
  return kept(wires, `${url} ${path} ${bytes} ${isModelLast}`, () => {
    const body = chatBody(bytes, isModelLast);
    const lines = Object.entries({
      host: new URL(url).host,
      connection: 'keep-alive',
      'content-type': 'application/json',
      authorization: 'Bearer bench-client',
      'content-length': body.length,
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), body]);
  });
}

process.on('message', (job: Job) => {
  void new Load(job).run().then((report) => process.send?.(report));
});
