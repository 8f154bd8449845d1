import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { complete } from '../../../test/support/ask.js';
import { ChutesSimulator } from '../chutes-simulator.js';
import type { ModelEntry } from '../feeds/simulated-models.js';
import type { UtilizationRow } from '../feeds/simulated-utilization.js';

const MODEL = 'Qwen/Qwen3-32B';
let simulator: ChutesSimulator;

beforeEach(async () => {
  simulator = await ChutesSimulator.start();
});

afterEach(async () => simulator.close());

function isIdle(model: string): boolean {
  const rows = simulator.utilization as readonly UtilizationRow[];
  return rows.some(
    (row) => row.name === model && row.active_instance_count === 0 && !row.name.startsWith('['),
  );
}

describe('refusals', () => {
  test.each<[string, string | Readonly<Record<string, unknown>>, Record<string, string>, number, string]>([
    ['broken JSON', '{', {}, 400, '{"detail":'],
    ['no model', {}, {}, 400, '{"detail":'],
    [
      'an invalid token',
      { model: MODEL },
      { authorization: 'Bearer cpk_invalid' },
      401,
      '{"detail":"Invalid token."}',
    ],
    ['an unknown model', { model: 'no/where' }, {}, 404, '{"detail":"model not found: no/where"}'],
    ['TEE only, but is not', { model: MODEL }, { 'x-tee-only': 'true' }, 426, '{"detail":'],
  ])('SIM-14: %s', async (_, body, headers, status, start) => {
    const reply = await complete(simulator, body, { headers });
    expect(reply.status).toBe(status);
    expect(reply.text).toContain(start);
  });

  test('SIM-14: TEE only, and is', async () => {
    const entries = simulator.models as readonly ModelEntry[];
    const tee = entries.find(({ id }) => id.endsWith('-TEE') && !isIdle(id))?.id ?? '';
    expect((await complete(simulator, { model: tee }, { headers: { 'x-tee-only': 'true' } })).status).toBe(
      200,
    );
  });

  test('SIM-14: an idle model', async () => {
    const idle =
      (simulator.utilization as readonly UtilizationRow[]).find(({ name }) => isIdle(name))?.name ?? '';
    expect(await complete(simulator, { model: idle })).toMatchObject({
      status: 503,
      text: expect.stringContaining('No instances'),
    });
  });

  test.each(['/', '/v1', '/v1/embeddings', '/redirected'])(
    'SIM-14: nothing else is there: %s',
    async (path) => {
      expect(await complete(simulator, { model: MODEL }, { path })).toMatchObject({
        status: 404,
        text: '{"detail":"Not Found"}',
      });
    },
  );

  test('SIM-14: other methods are not there either', async () => {
    expect((await fetch(`${simulator.url}/v1/chat/completions`)).status).toBe(404);
    expect((await complete(simulator, '', { path: '/v1/models' })).status).toBe(404);
  });

  test('SIM-14: no key at all, where one is asked for', async () => {
    expect((await complete(simulator, { model: MODEL })).status).toBe(200);
    const strict = await ChutesSimulator.start({ requireAuth: true });
    const url = `${strict.url}/v1/chat/completions`;
    const body = JSON.stringify({ model: MODEL });
    const refused = await fetch(url, { method: 'POST', body });
    expect([refused.status, await refused.text()]).toEqual([
      429,
      expect.stringContaining('<center>nginx</center>'),
    ]);
    const headers = { authorization: 'Bearer cpk_any' };
    expect((await fetch(url, { method: 'POST', body, headers })).status).toBe(200);
    await strict.close();
  });
});
