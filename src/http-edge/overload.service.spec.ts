import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { loadConfig } from '../config/config.js';
import type { Logger } from '../telemetry/logger.js';
import { MetricsService } from '../telemetry/metrics.service.js';
import { OverloadService } from './overload.service.js';

let lines: [level: string, facts: unknown, text: string][];
let metrics: MetricsService;
let overload: OverloadService;

beforeEach(() => {
  jest.useFakeTimers();
  lines = [];
  const at = (level: string) => (facts: unknown, text: string) => void lines.push([level, facts, text]);
  metrics = new MetricsService();
  const logger = { warn: at('warn'), info: at('info') } as unknown as Logger;
  overload = new OverloadService(loadConfig({}), logger, metrics);
  overload.onApplicationBootstrap();
});

afterEach(() => {
  overload.onApplicationShutdown();
  jest.useRealTimers();
});

async function counted(name: string): Promise<unknown> {
  const { values } = (await metrics.registry.getSingleMetric(`chutes_autopilot_${name}`)?.get()) ?? {};
  return values?.map(({ value, labels }) => Object.values(labels).concat(value));
}

describe('what is refused for want of room', () => {
  test.each(['body', 'upstream'] as const)(
    'OBS-35, OBS-36: requests, by reason, each counted, and their beginning and end told: %s',
    async (reason) => {
      for (let i = 0; i < 3; i += 1) overload.shed(reason);
      jest.advanceTimersByTime(9_000);
      overload.shed(reason);
      jest.advanceTimersByTime(9_000);
      expect(lines).toEqual([['warn', { reason }, 'shedding requests']]);
      jest.advanceTimersByTime(3_000);
      expect(lines.slice(1)).toEqual([['info', { reason, requests: 4 }, 'no longer shedding requests']]);
      expect(await counted('requests_shed_total')).toContainEqual([reason, 4]);
      jest.advanceTimersByTime(60_000);
      expect(lines).toHaveLength(2);
    },
  );

  test.each(['clients', 'inside'] as const)(
    'OBS-34, OBS-36: connections, each counted, and their beginning and end told: %s',
    async (port) => {
      for (let i = 0; i < 500; i += 1) overload.refusedConnection(port);
      jest.advanceTimersByTime(12_000);
      expect(lines).toEqual([
        ['warn', { port }, 'refusing connections'],
        ['info', { port, connections: 500 }, 'no longer refusing connections'],
      ]);
      expect(await counted('connections_refused_total')).toEqual([[500]]);
    },
  );

  test('OBS-35: what nobody was refused for is there, at 0', async () => {
    expect(await counted('requests_shed_total')).toEqual([
      ['lag', 0],
      ['body', 0],
      ['upstream', 0],
    ]);
    expect(await counted('connections_refused_total')).toEqual([[0]]);
  });
});
