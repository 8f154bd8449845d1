import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Histogram as PromHistogram, type Metric, Registry } from 'prom-client';
import { OneLabelHistogram } from './one-label-histogram.js';

const BOUNDS = [0.005, 0.1, 1, 30];
const MODES = ['alias', 'list', 'direct'] as const;

type Observation = readonly [mode: (typeof MODES)[number], value: number];

function ours(observations: readonly Observation[]): Promise<string> {
  const registry = new Registry();
  const histogram = new OneLabelHistogram<string>('h', 'Help.', 'mode', BOUNDS);
  registry.registerMetric(histogram as object as Metric);
  for (const [mode, value] of observations) histogram.observe(mode, value);
  return registry.metrics();
}

function promClients(observations: readonly Observation[]): Promise<string> {
  const registry = new Registry();
  const options = { name: 'h', help: 'Help.', labelNames: ['mode'], registers: [registry] };
  const histogram = new PromHistogram({ ...options, buckets: BOUNDS });
  for (const [mode, value] of observations) histogram.observe({ mode }, value);
  return registry.metrics();
}

describe('a scrape of a histogram', () => {
  test('OBS-8: is what it would be with one of prom-client', async () => {
    const value = fc.oneof(
      fc.constantFrom(0, ...BOUNDS),
      fc.double({ min: 0, max: 100, noNaN: true }),
      fc.double({ min: 0, max: 0.2, noNaN: true }),
    );
    const observations = fc.array(fc.tuple(fc.constantFrom(...MODES), value), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(observations, async (seen) => {
        expect(await ours(seen)).toBe(await promClients(seen));
      }),
    );
  });

  test('OBS-8: shows each bucket with all that are smaller, and a bound with what is equal to it', async () => {
    const text = await ours([
      ['alias', 0.005],
      ['alias', 0.006],
      ['alias', 31],
    ]);
    expect(text.match(/_bucket\S+ \d+|_count\S+ \d+/g)).toEqual([
      '_bucket{le="0.005",mode="alias"} 1',
      '_bucket{le="0.1",mode="alias"} 2',
      '_bucket{le="1",mode="alias"} 2',
      '_bucket{le="30",mode="alias"} 2',
      '_bucket{le="+Inf",mode="alias"} 3',
      '_count{mode="alias"} 3',
    ]);
  });
});
