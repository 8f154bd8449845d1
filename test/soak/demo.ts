import { importBuilt } from '../support/built.ts';

/** What the soak uses of the simulated Chutes, as built. */
export type Demo = Awaited<ReturnType<typeof loadDemo>>;

export async function loadDemo() {
  return {
    ...(await importBuilt<typeof import('../../src/simulator/chutes-simulator.ts')>(
      'simulator/chutes-simulator.js',
    )),
    ...(await importBuilt<typeof import('../../src/simulator/faults/misbehaviour.ts')>(
      'simulator/faults/misbehaviour.js',
    )),
    ...(await importBuilt<typeof import('../../src/simulator/faults/replies.ts')>(
      'simulator/faults/replies.js',
    )),
    ...(await importBuilt<typeof import('../../src/simulator/faults/error-events.ts')>(
      'simulator/faults/error-events.js',
    )),
    ...(await importBuilt<typeof import('../../src/simulator/faults/perform.ts')>(
      'simulator/faults/perform.js',
    )),
    ...(await importBuilt<typeof import('../../src/simulator/answers/chutes-replies.ts')>(
      'simulator/answers/chutes-replies.js',
    )),
    ...(await importBuilt<typeof import('../../src/simulator/answers/simulated-answer.ts')>(
      'simulator/answers/simulated-answer.js',
    )),
  };
}
