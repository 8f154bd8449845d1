import { ChutesSimulator } from './chutes-simulator.js';
import { readSimulatorOptions } from './simulator-options.js';

/** The simulator as a process of its own: prints its URL as one line, stays until a signal. */
async function main(): Promise<void> {
  const simulator = await ChutesSimulator.start(readSimulatorOptions(process.argv.slice(2), process.env));
  const stop = () => void simulator.close();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  process.stdout.write(`${simulator.url}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
