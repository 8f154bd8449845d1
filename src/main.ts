import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from './app.factory.js';
import { ConfigError, loadConfig } from './config/config.js';
import { LifecycleService } from './lifecycle/lifecycle.service.js';

let app: NestFastifyApplication | undefined;
let isStopping = false;

async function stop(): Promise<void> {
  const lifecycle = app?.get(LifecycleService);
  if (isStopping) return lifecycle?.hurryUp();
  isStopping = true;
  await lifecycle?.stop();
  await app?.close();
  process.exit(0);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop());

try {
  const config = loadConfig(process.env);
  app = await createApp(config);
  await app.listen(config.listen.port, config.listen.host);
} catch (error) {
  process.stderr.write(`${error instanceof ConfigError ? error.message : String((error as Error).stack)}\n`);
  process.exit(1);
}
