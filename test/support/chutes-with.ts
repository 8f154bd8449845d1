import { ChutesSimulator } from '../../src/simulator/chutes-simulator.js';
import type { SimulatorOptions } from '../../src/simulator/simulator-options.js';

/** A simulated Chutes whose feeds have these models and no others. @param utilization by default all of them run */
export async function chutesWith(
  models: readonly unknown[],
  { utilization = models, ...options }: SimulatorOptions & { readonly utilization?: readonly unknown[] } = {},
): Promise<ChutesSimulator> {
  const chutes = await ChutesSimulator.start({ simModels: false, ...options });
  chutes.models = models;
  chutes.utilization = utilization;
  return chutes;
}
