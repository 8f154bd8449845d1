import { complete, selectedOf } from './ask.js';
import { metricsOf } from './metrics.js';
import { eventually, type LogLine, type TestRouter } from './router.js';

export type WatchedFeed = 'models' | 'utilization';
type Outcome = 'ok' | 'empty' | 'error';

/** Of settings that make a router look at its feeds all the time, and keep no client on a model. */
export const RESTLESS = { MODELS_REFRESH_MS: '20', UTILIZATION_REFRESH_MS: '20', STICKY_TTL_SECS: '0' };

/** A refresh interval that no test sees the end of. */
export const NEVER = '3600000';

/** Waits until a feed was refreshed `times` more times with one of these outcomes. */
export async function refreshed(
  router: TestRouter,
  feed: WatchedFeed | 'stats',
  outcomes: readonly Outcome[],
  times = 1,
): Promise<void> {
  const count = async () => {
    const metrics = await metricsOf(router);
    return outcomes.reduce((sum, outcome) => sum + metrics.value('feed_refresh_total', { feed, outcome }), 0);
  };
  const wanted = (await count()) + times;
  await eventually(async () => (await count()) >= wanted);
}

/** The model that a router chooses first; `null` if that one did not answer. */
export async function chosenBy(router: TestRouter): Promise<string | null> {
  const answer = await complete(router, { model: 'chutesai/AutoPilot', messages: [] });
  return answer.headers.get('x-chutes-autopilot-attempts') === '1' ? selectedOf(answer) : null;
}

/** What a router has logged about a feed. */
export function linesAbout({ logs }: TestRouter, feed: WatchedFeed | 'stats'): readonly LogLine[] {
  return logs.filter((line) => line['feed'] === feed);
}
