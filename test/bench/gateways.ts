import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quietPort } from '../support/ports.ts';
import { type Program, start } from './support.ts';

export const GATEWAY_CORE = 0;
export const LOAD_CORE = 1;

/** The version that the targets are about. */
const PORTKEY = '@portkey-ai/gateway@1.15.2';

/** Something between load and upstream. */
export interface Gateway extends Program {
  readonly name: string;
  /** Headers that it needs, besides those of an OpenAI client. */
  readonly headers: Readonly<Record<string, string>>;
}

const node = process.execPath;

export async function startUpstream(): Promise<Program> {
  const port = await quietPort();
  return start(LOAD_CORE, port, [node, 'test/bench/gateways/upstream.ts', String(port)]);
}

/** Takes spans. */
export async function startCollector(): Promise<Program> {
  const port = await quietPort();
  return start(LOAD_CORE, port, [node, 'test/bench/gateways/collector.ts', String(port)]);
}

/** The upstream itself, with nothing in between. */
export function direct({ pid, url }: Program): Gateway {
  return { name: 'direct', pid, url, headers: {}, stop: async () => {} };
}

export async function startFloor(upstream: Program): Promise<Gateway> {
  const port = await quietPort();
  const command = [node, 'test/bench/gateways/floor.ts', String(port), upstream.url];
  return { name: 'floor', headers: {}, ...(await start(GATEWAY_CORE, port, command)) };
}

/** The built router, as `npm run start:prod` starts it. */
export async function startRouter(
  upstream: Program,
  env: Readonly<Record<string, string>> = {},
  name = 'router',
): Promise<Gateway> {
  const port = await quietPort();
  const program = await start(GATEWAY_CORE, port, [node, '--enable-source-maps', 'dist/main.js'], {
    LISTEN_ADDR: `127.0.0.1:${port}`,
    BACKEND_BASE_URL: upstream.url,
    RESPONSES_BASE_URL: upstream.url,
    MESSAGES_BASE_URL: upstream.url,
    EVIDENCE_BASE_URL: upstream.url,
    MODELS_URL: `${upstream.url}/v1/models`,
    UTILIZATION_URL: `${upstream.url}/chutes/utilization`,
    STATS_URL: 'off',
    ...env,
  });
  return { name, headers: {}, ...program };
}

/** The router with its pins in a Redis of its own. `undefined` where there is no `redis-server`. */
export async function startRouterWithRedis(upstream: Program): Promise<Gateway | undefined> {
  if (!hasProgram('redis-server', '--version')) return undefined;
  const port = String(await quietPort());
  const options = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', tmpdir()];
  const redis = spawn('taskset', ['-c', String(LOAD_CORE), 'redis-server', ...options], { stdio: 'ignore' });
  const env = { STICKY_STORE: 'redis', REDIS_URL: `redis://127.0.0.1:${port}`, STICKY_HASH_SECRET: 'bench' };
  const router = await startRouter(upstream, env, 'redis');
  return {
    ...router,
    async stop() {
      await router.stop();
      redis.kill();
      await once(redis, 'exit');
    },
  };
}

/** nginx with one worker that passes everything on, and a log line per request. `undefined` where there is none. */
export async function startNginx(upstream: Program): Promise<Gateway | undefined> {
  if (!hasProgram('nginx', '-v')) return undefined;
  const port = await quietPort();
  const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'));
  const config = join(folder, 'nginx.conf');
  writeFileSync(config, nginxConfig(folder, port, new URL(upstream.url).host));
  const program = await start(GATEWAY_CORE, port, ['nginx', '-p', folder, '-c', config, '-e', 'stderr']);
  return {
    name: 'nginx',
    headers: {},
    ...program,
    async stop() {
      await program.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** One process alone, so that its CPU time is all there is. */
function nginxConfig(folder: string, port: number, upstream: string): string {
  return `daemon off;
master_process off;
pid ${folder}/pid;
events { worker_connections 1024; }
http {
  access_log ${folder}/access.log combined buffer=8k;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_max_body_size 32m;
  client_body_buffer_size 2m;
  keepalive_requests 1000000;
  upstream chutes { server ${upstream}; keepalive 256; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://chutes;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
`;
}

/** Portkey's gateway, installed outside the project. */
export async function startPortkey(upstream: Program): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-portkey-'));
  execFileSync('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', PORTKEY], {
    stdio: 'ignore',
  });
  const port = await quietPort();
  const main = join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  const program = await start(GATEWAY_CORE, port, [node, main, `--port=${port}`, '--headless'], {
    NODE_ENV: 'production',
    TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost',
  });
  return {
    name: 'portkey',
    headers: { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${upstream.url}/v1` },
    ...program,
    async stop() {
      await program.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

function hasProgram(name: string, flag: string): boolean {
  try {
    execFileSync(name, [flag], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
