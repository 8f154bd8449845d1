import { setTimeout as pause } from 'node:timers/promises';
import assert from 'node:assert/strict';
import type { Case } from '../case.ts';
import { assertOk, type Client } from '../client.ts';

/** The value of one series; 0 if it is not there. */
async function metric(client: Client, series: string): Promise<number> {
  const { text } = await client.ask('/metrics');
  const line = text.split('\n').find((one) => one.startsWith(`chutes_autopilot_${series} `));
  return Number(line?.split(' ')[1] ?? 0);
}

export const HEALTH: readonly Case[] = [
  {
    name: 'the process lives',
    run: async (client) => assertOk(await client.ask('/healthz')),
  },
  {
    name: 'it is ready',
    run: async (client) => {
      const answer = await client.ask('/readyz');
      assertOk(answer);
      assert.equal((JSON.parse(answer.text) as { status: string }).status, 'ok');
    },
  },
];

export const METRICS: readonly Case[] = [
  {
    name: 'they are served in the Prometheus text format',
    run: async (client) => {
      const answer = await client.ask('/metrics');
      assertOk(answer);
      assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/);
      for (const name of ['requests_active', 'ready_candidates', 'ready_snapshot_age_ms']) {
        assert.match(answer.text, new RegExp(`^chutes_autopilot_${name} \\d`, 'm'));
      }
    },
  },
  {
    name: 'a request and its failover are counted',
    needs: 'settings',
    run: async (client) => {
      const counted = async () => {
        // Scrapes within a quarter of a second share one rendering.
        await pause(300);
        return Promise.all([
          metric(client, 'requests_total{status="200"}'),
          metric(client, 'failover_reason_total{reason="upstream_503"}'),
        ]);
      };
      const before = await counted();
      assertOk(await client.chat(`sim/unavailable,${client.world.model}`));
      assert.deepEqual(
        await counted(),
        before.map((count) => count + 1),
      );
    },
  },
];
