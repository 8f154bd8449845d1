/**
 * The load, in a process of its own that lives as long as the benchmark, so that it is compiled and its connections are open
 * when it counts. Is told by messages whom to load and how (`Job`), one at a time, and answers each with a `LoadReport`.
 */
import { Pool } from 'undici';
import { chatBody } from './chat-body.ts';

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
  private readonly pool: Pool;
  private readonly body: Buffer;
  private readonly until: number;

  constructor(job: Job, pool: Pool, body: Buffer) {
    this.job = job;
    this.pool = pool;
    this.body = body;
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

  private send(): Promise<void> {
    const startedAt = performance.now();
    const { path = '/v1/chat/completions', headers } = this.job;
    const request = {
      path,
      method: 'POST' as const,
      headers: { 'content-type': 'application/json', authorization: 'Bearer bench-client', ...headers },
      body: this.body,
    };
    return new Promise((resolve) => {
      this.pool.dispatch(request, {
        onRequestStart() {},
        onResponseStart: (_, status) => {
          if (status !== 200) this.failures += 1;
        },
        onResponseData: () => {
          this.chunks += 1;
        },
        onResponseEnd: () => {
          this.requests += 1;
          this.latencies.push(performance.now() - startedAt);
          resolve();
        },
        onResponseError: () => {
          this.failures += 1;
          resolve();
        },
      });
    });
  }
}

const pools = new Map<string, Pool>();
const bodies = new Map<string, Buffer>();

function kept<T>(all: Map<string, T>, key: string, make: () => T): T {
  const value = all.get(key) ?? make();
  all.set(key, value);
  return value;
}

process.on('message', (job: Job) => {
  const { url, bytes = 1_024, isModelLast = false, connections = 256 } = job;
  const options = { connections, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 };
  const pool = kept(pools, `${url} ${connections}`, () => new Pool(url, options));
  const body = kept(bodies, `${bytes} ${isModelLast}`, () => chatBody(bytes, isModelLast));
  void new Load(job, pool, body).run().then((report) => process.send?.(report));
});
