import { importBuilt } from '../support/built.ts';

/** What the soak uses of the simulated Chutes, as built. */
export type Demo = Awaited<ReturnType<typeof loadDemo>>;

export async function loadDemo() {
  return {
    ...(await importBuilt<typeof import('../../src/demo/chutes-simulator.ts')>('demo/chutes-simulator.js')),
    ...(await importBuilt<typeof import('../../src/demo/misbehaviour.ts')>('demo/misbehaviour.js')),
    ...(await importBuilt<typeof import('../../src/demo/perform.ts')>('demo/perform.js')),
    ...(await importBuilt<typeof import('../../src/demo/chutes-replies.ts')>('demo/chutes-replies.js')),
    ...(await importBuilt<typeof import('../../src/demo/simulated-answer.ts')>('demo/simulated-answer.js')),
  };
}
