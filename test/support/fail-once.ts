import { RoutingService } from '../../src/routing/routing.service.js';
import type { TestRouter } from './router.js';

/** Makes the router's next look at its ranking throw, in the middle of a request. */
export function failOnce({ app }: TestRouter, thrown: unknown): void {
  const routing = app.get(RoutingService);
  const { snapshot } = routing;
  Object.defineProperty(routing, 'snapshot', {
    configurable: true,
    get() {
      Object.defineProperty(routing, 'snapshot', { value: snapshot, writable: true });
      throw thrown;
    },
  });
}
