import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Program } from './program.ts';

const READY_MS = 15_000;
/** How long the router puts up with an answer that has fallen silent. */
export const IDLE_TIMEOUT_MS = 700;

/** What takes minutes in production takes a second here. */
const SETTINGS = {
  // One case after another lets the same model fail, and counts on its place in a list.
  COOLDOWN_FAILURES: '0',
  LISTEN_ADDR: '127.0.0.1:0',
  UPSTREAM_HEADER_TIMEOUT_MS: '700',
  UPSTREAM_FIRST_BODY_BYTE_TIMEOUT_MS: '700',
  UPSTREAM_PATIENT_TIMEOUT_MS: '2000',
  UPSTREAM_IDLE_TIMEOUT_MS: String(IDLE_TIMEOUT_MS),
  SHUTDOWN_DRAIN_MS: '0',
  SHUTDOWN_GRACE_MS: '2000',
};

/**
 * Starts the simulated Chutes and a router in front of it, each in a process of its own, and waits until the router
 * is ready.
 *
 * @param dist the folder that the router was built to
 */
export async function startRouter(dist: string): Promise<{ router: Program; simulator: Program }> {
  const simulator = await Program.start({
    main: join(dist, 'simulator', 'main.js'),
    args: ['--port', '0', '--first-token-ms', '20', '--token-ms', '2'],
    announces: /^(http:\S+)\n/m,
  });
  const router = await Program.start({
    main: join(dist, 'main.js'),
    env: {
      ...SETTINGS,
      BACKEND_BASE_URL: simulator.url,
      RESPONSES_BASE_URL: simulator.url,
      MESSAGES_BASE_URL: simulator.url,
      EVIDENCE_BASE_URL: simulator.url,
      MODELS_URL: `${simulator.url}/v1/models`,
      UTILIZATION_URL: `${simulator.url}/chutes/utilization`,
      STATS_URL: 'off',
    },
    announces: /"url":"([^"]+)","msg":"listening"/,
  });
  await untilReady(router.url);
  return { router, simulator };
}

async function untilReady(url: string): Promise<void> {
  const deadline = performance.now() + READY_MS;
  for (;;) {
    const response = await fetch(`${url}/readyz`);
    if (response.ok) return;
    if (performance.now() > deadline) throw new Error(`It is not ready: ${await response.text()}`);
    await sleep(20);
  }
}
