import { RankingService } from '../../src/ranking/ranking.service.js';
import type { TestRouter } from './router.js';

/** Makes the router's next look at its ranking throw, in the middle of a request. */
export function failOnce({ app }: TestRouter, thrown: unknown): void {
  const ranking = app.get(RankingService);
  const { snapshot } = ranking;
  Object.defineProperty(ranking, 'snapshot', {
    configurable: true,
    get() {
      Object.defineProperty(ranking, 'snapshot', { value: snapshot, writable: true });
      throw thrown;
    },
  });
}
