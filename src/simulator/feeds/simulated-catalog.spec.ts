import { describe, expect, test } from '@jest/globals';
import { CATALOGS, type CatalogMonth } from './model-table.js';
import { type ModelEntry, simulatedModels } from './simulated-models.js';
import { PRIVATE_NAME, simulatedUtilization, type UtilizationRow } from './simulated-utilization.js';

const CREATED = 1_771_000_000;
const STAMP = '2026-02-18T05:48:08.568123';
const SEEDS = [0, 1, 2, 7, 11, 12_345];

describe('model list', () => {
  const models = simulatedModels(1, CREATED);

  test('SIM-5: has about 60 entries with different ids and chutes', () => {
    expect(models.length).toBeGreaterThanOrEqual(55);
    expect(models.length).toBeLessThanOrEqual(65);
    expect(new Set(models.map(({ id }) => id)).size).toBe(models.length);
    expect(new Set(models.map(({ chute_id }) => chute_id)).size).toBe(models.length);
  });

  test('SIM-5: every entry has what the real ones always have', () => {
    for (const entry of models) {
      expect(entry).toMatchObject({
        id: expect.any(String),
        root: expect.any(String),
        object: 'model',
        parent: null,
        created: CREATED,
        price: {
          input: { usd: expect.any(Number), tao: expect.any(Number) },
          output: { usd: expect.any(Number), tao: expect.any(Number) },
          input_cache_read: { usd: expect.any(Number), tao: expect.any(Number) },
        },
        pricing: {
          prompt: expect.any(Number),
          completion: expect.any(Number),
          input_cache_read: expect.any(Number),
        },
        chute_id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/),
        owned_by: expect.stringMatching(/^(sglang|vllm)$/),
        max_model_len: expect.any(Number),
        confidential_compute: entry.id.endsWith('-TEE'),
      });
    }
  });

  test('SIM-5: some entries lack what real ones lack', () => {
    const bare = models.filter((entry) => !('supported_features' in entry));
    expect(bare.length).toBeGreaterThanOrEqual(4);
    expect(bare.length).toBeLessThanOrEqual(8);
    for (const entry of bare) {
      expect(entry).not.toHaveProperty('context_length');
      expect(entry).not.toHaveProperty('quantization');
      expect(entry).not.toHaveProperty('input_modalities');
    }
  });
});

function count(entries: readonly ModelEntry[], field: string, value: unknown): number {
  return entries.filter((entry) => [entry[field]].flat().includes(value)).length;
}

function lengthOf({ context_length, max_model_len }: ModelEntry): number {
  return Math.min(Number(context_length ?? Infinity), Number(max_model_len ?? Infinity));
}

describe('what the models of a month can do', () => {
  test.each<[CatalogMonth, Readonly<Record<string, number>>, Readonly<Record<string, number>>]>([
    [
      '2026-02',
      { all: 61, tools: 43, json: 55, structured: 53, misspelt: 2, image: 14, video: 1, tee: 21, bare: 6 },
      { to32k: 10, to41k: 5, above1M: 0 },
    ],
    [
      '2026-08',
      { all: 15, tools: 12, json: 12, structured: 11, misspelt: 1, image: 6, video: 2, tee: 14, bare: 3 },
      { to32k: 0, to41k: 1, above1M: 3 },
    ],
  ])('SIM-32: %s', (month, numbers, lengths) => {
    const entries = simulatedModels(1, CREATED, CATALOGS[month]);
    const between = (low: number, high: number) =>
      entries.filter((entry) => lengthOf(entry) > low && lengthOf(entry) <= high).length;
    expect({
      all: entries.length,
      tools: count(entries, 'supported_features', 'tools'),
      json: count(entries, 'supported_features', 'json_mode'),
      structured: count(entries, 'supported_features', 'structured_outputs'),
      misspelt: count(entries, 'supported_features', 'structured_output'),
      image: count(entries, 'input_modalities', 'image'),
      video: count(entries, 'input_modalities', 'video'),
      tee: count(entries, 'confidential_compute', true),
      bare: entries.filter((entry) => !('supported_features' in entry)).length,
    }).toEqual(numbers);
    expect({
      to32k: between(0, 32_768),
      to41k: between(32_768, 41_000),
      above1M: between(1_000_000, 2_000_000),
    }).toEqual(lengths);
  });

  test.each<[CatalogMonth, number, number]>([
    ['2026-02', 0.5, 3],
    ['2026-08', 0.1, 15],
  ])('SIM-32: %s: cached input costs %d of fresh one, output at most $%d', (month, share, highest) => {
    for (const seed of SEEDS) {
      for (const { pricing } of simulatedModels(seed, CREATED, CATALOGS[month])) {
        if (pricing === undefined) continue;
        const { prompt, completion, input_cache_read: cached } = pricing as Readonly<Record<string, number>>;
        expect(cached).toBeCloseTo((prompt ?? 0) * share, 3);
        expect(cached).toBeGreaterThan(0);
        expect(completion).toBeLessThanOrEqual(highest);
        expect(completion).toBeGreaterThan(prompt ?? 0);
      }
    }
  });

  test('SIM-32: some say a longer max_model_len than context_length', () => {
    const entries = simulatedModels(1, CREATED);
    const odd = entries.filter((entry) => Number(entry['max_model_len']) > Number(entry['context_length']));
    expect(odd.map(({ id }) => id)).toContain('unsloth/gemma-3-12b-it');
    expect(odd.length).toBe(4);
  });

  test('SIM-32: an external model has neither price nor lengths nor features, and no utilization', () => {
    const { models } = CATALOGS['2026-08'];
    const external = simulatedModels(1, CREATED, CATALOGS['2026-08']).filter(({ id }) =>
      id.startsWith('external/'),
    );
    expect(external.map((entry) => Object.keys(entry))).toEqual([
      ['id', 'root', 'object', 'parent', 'created', 'owned_by'],
    ]);
    for (const seed of SEEDS) {
      const names = simulatedUtilization(seed, 0, STAMP, models).map(({ name }) => name);
      expect(names).not.toContain(external[0]?.id);
      expect(names.filter((name) => name.endsWith('-TEE')).length).toBeGreaterThan(8);
    }
  });
});

describe('utilization', () => {
  const strings = ['chute_id', 'name', 'timestamp', 'action_taken'];
  const integers = [
    'instance_count',
    'target_count',
    'total_instance_count',
    'active_instance_count',
    'scale_allowance',
  ];
  const windows = ['5m', '15m', '1h'];
  const floats = [
    'utilization_current',
    'avg_busy_ratio',
    'total_invocations',
    'total_rate_limit_errors',
    ...[
      'utilization',
      'rate_limit_ratio',
      'total_requests',
      'completed_requests',
      'rate_limited_requests',
    ].flatMap((name) => windows.map((window) => `${name}_${window}`)),
  ];

  test('SIM-6: every row has exactly the fields and types of the real ones', () => {
    const names = [...strings, ...integers, ...floats, 'effective_multiplier', 'scalable'].toSorted();
    for (const row of simulatedUtilization(1, 0, STAMP)) {
      const fields = new Map<string, unknown>(Object.entries(row));
      expect([...fields.keys()].toSorted()).toEqual(names);
      expect(strings.every((name) => typeof fields.get(name) === 'string')).toBe(true);
      expect(integers.every((name) => Number.isInteger(fields.get(name)))).toBe(true);
      expect(floats.every((name) => Number.isFinite(fields.get(name)))).toBe(true);
      expect(typeof row.scalable).toBe('boolean');
      expect(['number', 'object']).toContain(typeof row.effective_multiplier);
    }
  });

  test.each(SEEDS)('SIM-6: has the mixture of the real one with seed %i', (seed) => {
    const rows = simulatedUtilization(seed, 3, STAMP);
    const open = rows.filter(({ name }) => name !== PRIVATE_NAME);
    const listed = new Set(simulatedModels(seed, CREATED).map(({ id }) => id));
    const rowNames = new Set(open.map(({ name }) => name));
    expect(rows.length).toBeGreaterThan(480);
    expect(rows.length).toBeLessThan(560);
    expect(rows.length - open.length).toBe(440);
    expect(open.filter(({ name }) => !listed.has(name)).length).toBeGreaterThan(5);
    expect([...listed].filter((id) => !rowNames.has(id)).length).toBeGreaterThan(2);
    expect(open.filter((row) => row.active_instance_count === 0).length).toBeGreaterThan(2);
    expect(open.filter((row) => row.utilization_current > 1).length).toBeGreaterThan(2);
    expect(open.filter(({ name }) => name.endsWith('-TEE')).length).toBeGreaterThan(10);
    expect(new Set(rows.map((row) => row.chute_id)).size).toBe(rows.length);
  });

  test('SIM-6: is about as large as the real one', () => {
    const bytes = Buffer.byteLength(JSON.stringify(simulatedUtilization(1, 0, STAMP)));
    expect(bytes).toBeGreaterThan(400_000);
    expect(bytes).toBeLessThan(550_000);
  });

  test('SIM-7: seed and tick decide the numbers', () => {
    expect(simulatedUtilization(5, 9, STAMP)).toEqual(simulatedUtilization(5, 9, STAMP));
    expect(simulatedModels(5, CREATED)).toEqual(simulatedModels(5, CREATED));
    expect(loads(simulatedUtilization(6, 9, STAMP))).not.toEqual(loads(simulatedUtilization(5, 9, STAMP)));
  });

  test('SIM-7: a tick changes the load a little, not wildly, and no instance count', () => {
    const before = simulatedUtilization(1, 4, STAMP);
    const after = simulatedUtilization(1, 5, STAMP);
    const earlier = loads(before);
    const changes = loads(after).map((load, index) => Math.abs(load - (earlier[index] ?? 0)));
    expect(Math.max(...changes)).toBeGreaterThan(0.01);
    expect(Math.max(...changes)).toBeLessThan(0.2);
    expect(after.map((row) => row.active_instance_count)).toEqual(
      before.map((row) => row.active_instance_count),
    );
  });
});

function loads(rows: readonly UtilizationRow[]): number[] {
  return rows.map((row) => row.utilization_current);
}
