import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import { CatalogService } from '../catalog/catalog.service.js';
import { type ModelId, readModelList } from '../catalog/model-list.js';
import { loadConfig } from '../config/config.js';
import { FirstTokensService } from '../ranking/first-tokens.service.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import { ModelHealthService } from './model-health.service.js';

const [A, B] = ['m/a', 'm/b-TEE'] as ModelId[] as [ModelId, ModelId];

let lines: Record<string, unknown>[];
let metrics: MetricsService;

beforeEach(() => {
  lines = [];
  jest.useFakeTimers({ now: 1_000_000 });
  // The middle of the spread.
  jest.spyOn(Math, 'random').mockReturnValue(0.5);
});

afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

test('CDN-7: names are those of the catalog, whatever suffix or older name a client writes', () => {
  const health = serviceWith();
  for (const spelled of ['m/a', 'm/a:fast', 'm/a:slow']) fail(health, spelled as ModelId);
  for (const spelled of ['m/b', 'm/b-TEE', 'm/b:fast']) fail(health, spelled as ModelId);
  const spellings = [A, 'm/a:other', B, 'm/b', 'm/c'] as ModelId[];
  expect(spellings.map((model) => health.cooling?.(model))).toEqual([true, true, true, true, false]);
});

test('CDN-3: while none cools there is nobody to ask', () => {
  const health = serviceWith();
  expect(health.cooling).toBeUndefined();
  cool(health, A);
  expect(health.cooling).toBeDefined();
  jest.advanceTimersByTime(15_000);
  expect(health.cooling).toBeUndefined();
  const probe = health.begin(A);
  expect(health.cooling?.(A)).toBe(true);
  health.succeeded(A, probe, undefined);
  expect(health.cooling).toBeUndefined();
  for (const model of [A, B]) cool(health, model);
  health.succeeded(A, health.begin(A), undefined);
  expect([A, B].map((model) => health.cooling?.(model))).toEqual([false, true]);
  health.succeeded(B, health.begin(B), undefined);
  expect(health.cooling).toBeUndefined();
});

test('CDN-4: of a hundred requests that would go there when it is over one is the probe', () => {
  const health = serviceWith();
  cool(health, A);
  jest.advanceTimersByTime(15_000);
  const probes = Array.from({ length: 100 }, () => health.begin(A)).filter(
    ({ probesAfterMs }) => probesAfterMs !== undefined,
  );
  expect(probes).toHaveLength(1);
});

test('CDN-11, OBS-52: the log says when and why a model begins to cool, and when it is well again', async () => {
  const health = serviceWith();
  cool(health, A, 'upstream_503');
  jest.advanceTimersByTime(15_000);
  health.failed(A, health.begin(A), 'upstream_reset');
  jest.advanceTimersByTime(30_000);
  health.succeeded(A, health.begin(A), undefined);
  health.succeeded(A, health.begin(A), undefined);
  expect(lines).toEqual([
    { level: 40, model: A, reason: 'upstream_503', cooldowns: 1, cooldown_ms: 15_000, msg: 'model cooling' },
    {
      level: 40,
      model: A,
      reason: 'upstream_reset',
      cooldowns: 2,
      cooldown_ms: 30_000,
      msg: 'model cooling',
    },
    { level: 30, model: A, reason: 'answered', cooldowns: 2, msg: 'model well again' },
  ]);
  const text = await metrics.registry.metrics();
  expect(text).toContain(`chutes_autopilot_cooldowns_total{model="${A}"} 2`);
  expect(text).toContain('chutes_autopilot_probes_total{outcome="ok"} 1');
  expect(text).toContain('chutes_autopilot_probes_total{outcome="failed"} 1');
});

test('CDN-11, OBS-51: a name that the catalog does not have is told as other, and is no part of the fleet', async () => {
  const health = serviceWith();
  cool(health, 'made up by a client' as ModelId);
  cool(health, A);
  expect(lines.map(({ model }) => model)).toEqual(['other', A]);
  expect(await cooling()).toBe(1);
});

test('CDN-7: so many names are remembered and no more, those that failed last', async () => {
  const health = serviceWith({ COOLDOWN_FAILURES: '1' }, []);
  const names = Array.from({ length: 5_000 }, (_, n) => `made-up/${n}` as ModelId);
  for (const name of names) fail(health, name);
  expect(await cooling()).toBe(1_000);
  expect([0, 3_999, 4_000, 4_999].map((n) => health.cooling?.(names[n] as ModelId))).toEqual([
    false,
    false,
    true,
    true,
  ]);
});

test('CDN-7: a model that leaves the catalog while it cools, and comes back, still cools', () => {
  const catalog = new CatalogService();
  const health = serviceWith({}, [A, B], catalog);
  cool(health, A);
  publish(catalog, [B]);
  expect(health.cooling?.(A)).toBe(true);
  publish(catalog, [A, B]);
  expect(health.cooling?.(A)).toBe(true);
});

test('CDN-6: an answer that began before the last attempt that failed changes nothing when it ends well', () => {
  const health = serviceWith();
  const old = health.begin(A);
  jest.advanceTimersByTime(1);
  cool(health, A);
  health.succeeded(A, old, undefined);
  expect(health.cooling?.(A)).toBe(true);
  health.succeeded(A, health.begin(A), undefined);
  expect(health.cooling).toBeUndefined();
});

test('CDN-12: 0 for COOLDOWN_FAILURES turns it off', () => {
  const health = serviceWith({ COOLDOWN_FAILURES: '0' });
  for (let n = 0; n < 100; n += 1) health.failed(A, health.begin(A), 'upstream_503');
  expect(health.cooling).toBeUndefined();
  expect(lines).toEqual([]);
});

function serviceWith(
  env: Readonly<Record<string, string>> = {},
  models: readonly string[] = [A, B],
  catalog = new CatalogService(),
): ModelHealthService {
  if (models.length > 0) publish(catalog, models);
  metrics = new MetricsService();
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]),
  };
  const logger = pino({ base: null, timestamp: false }, destination);
  return new ModelHealthService(loadConfig(env), logger, catalog, metrics, new FirstTokensService());
}

function publish(catalog: CatalogService, ids: readonly string[]): void {
  const list = readModelList({ data: ids.map((id) => ({ id })) })?.list;
  if (list) catalog.apply('models', { kind: 'ok', value: list }, 1);
}

function fail(health: ModelHealthService, model: ModelId, reason = 'upstream_503'): void {
  health.failed(model, health.begin(model), reason);
}

function cool(health: ModelHealthService, model: ModelId, reason = 'upstream_503'): void {
  for (let n = 0; n < 3; n += 1) fail(health, model, reason);
}

async function cooling(): Promise<number> {
  const [, value] = /^chutes_autopilot_cooling_models (\d+)$/m.exec(await metrics.registry.metrics()) ?? [];
  return Number(value);
}
