import { metricsOf } from './metrics.js';
import { eventually, type TestRouter } from './router.js';

/** What a router has told so far, in logs and metrics, when nothing is running any more. */
export async function toldBy(router: TestRouter): Promise<string> {
  let metrics = await metricsOf(router);
  await eventually(async () => {
    metrics = await metricsOf(router);
    return metrics.value('requests_active') === 0;
  });
  return [...router.logs.map((line) => JSON.stringify(line)), metrics.text].join('\n');
}
