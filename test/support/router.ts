import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from '../../src/app.factory.js';
import { loadConfig } from '../../src/config/config.js';
import { PortsService } from '../../src/http-edge/ports.service.js';
import type { ChutesSimulator } from '../../src/simulator/chutes-simulator.js';

export type Env = Readonly<Record<string, string>>;
export type LogLine = Readonly<Record<string, unknown>>;

/** A router in this process, on a free port. */
export interface TestRouter {
  readonly url: string;
  readonly port: number;
  /** Where probes and scrapes go: with `ADMIN_LISTEN_ADDR` a port of their own. */
  readonly insideUrl: string;
  readonly app: NestFastifyApplication;
  /** Every line it has logged. */
  readonly logs: readonly LogLine[];
  /** The lines of finished requests. */
  readonly requestLogs: readonly LogLine[];
  close(): Promise<void>;
}

/** Environment that points a router at a simulator, for both planes. */
export function environmentFor(upstreamUrl: string): Env {
  return {
    LISTEN_ADDR: '127.0.0.1:0',
    BACKEND_BASE_URL: upstreamUrl,
    RESPONSES_BASE_URL: upstreamUrl,
    MESSAGES_BASE_URL: upstreamUrl,
    EVIDENCE_BASE_URL: upstreamUrl,
    MODELS_URL: `${upstreamUrl}/v1/models`,
    UTILIZATION_URL: `${upstreamUrl}/chutes/utilization`,
    STATS_URL: 'off',
    SHUTDOWN_DRAIN_MS: '0',
    // Where tests run, others may have the machine busy.
    OVERLOAD_LAG_MS: '0',
    // Tests let models fail one time after another, and count on the order that was decided.
    COOLDOWN_FAILURES: '0',
  };
}

/** Starts a router and waits until it has both feeds, unless `awaitReady` is false. */
export async function startRouter(
  upstream: ChutesSimulator | string,
  env: Env = {},
  { awaitReady = true } = {},
): Promise<TestRouter> {
  const lines: LogLine[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) };
  const upstreamUrl = typeof upstream === 'string' ? upstream : upstream.url;
  const config = loadConfig({ ...environmentFor(upstreamUrl), ...env });
  const app = await createApp(config, destination);
  const ports = app.get(PortsService);
  await ports.open(app);
  const { port } = app.getHttpServer().address() as AddressInfo;
  const router: TestRouter = {
    url: `http://127.0.0.1:${port}`,
    port,
    insideUrl: ports.insideUrl ?? `http://127.0.0.1:${port}`,
    app,
    logs: lines,
    get requestLogs() {
      return lines.filter(({ msg }) => msg === 'request');
    },
    async close() {
      app.getHttpServer().closeAllConnections();
      await app.close();
    },
  };
  if (awaitReady) {
    try {
      await eventually(async () => (await fetch(`${router.insideUrl}/readyz`)).ok);
    } catch (error) {
      await router.close();
      throw error;
    }
  }
  return router;
}

/** Waits until something holds; fails after a generous while. */
export async function eventually(holds: () => boolean | Promise<boolean>, withinMs = 25_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`It did not come true within ${withinMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
