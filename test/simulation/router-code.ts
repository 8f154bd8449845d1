/** The router's own modules that choose and remember, below `src/`. */
const MODULES = [
  'config/config.js',
  'catalog/model-list.js',
  'catalog/utilization-feed.js',
  'catalog/catalog.service.js',
  'ranking/ranking.service.js',
  'routing/routing.service.js',
  'routing/candidate-order.js',
  'routing/model-health.service.js',
  'routing/spread.js',
  'sticky/client-key.js',
  'sticky/memory.store.js',
  'sticky/sticky.service.js',
  'upstream/attempt-clock.js',
  'proxy/attempt-reports.service.js',
  'proxy/verdict.js',
] as const;

export type RouterCode = typeof import('../../src/config/config.ts') &
  typeof import('../../src/catalog/model-list.ts') &
  typeof import('../../src/catalog/utilization-feed.ts') &
  typeof import('../../src/catalog/catalog.service.ts') &
  typeof import('../../src/ranking/ranking.service.ts') &
  typeof import('../../src/routing/routing.service.ts') &
  typeof import('../../src/routing/candidate-order.ts') &
  typeof import('../../src/routing/model-health.service.ts') &
  typeof import('../../src/routing/spread.ts') &
  typeof import('../../src/sticky/client-key.ts') &
  typeof import('../../src/sticky/memory.store.ts') &
  typeof import('../../src/sticky/sticky.service.ts') &
  typeof import('../../src/upstream/attempt-clock.ts') &
  typeof import('../../src/proxy/attempt-reports.service.ts') &
  typeof import('../../src/proxy/verdict.ts');

/** @param load gives a module by its path below `src/`: of the sources, or of the built router. */
export async function loadRouterCode(load: (path: string) => Promise<unknown>): Promise<RouterCode> {
  const modules = await Promise.all(MODULES.map(load));
  return Object.assign({}, ...modules) as RouterCode;
}
