import type { ChutesSimulator } from '../../src/simulator/chutes-simulator.js';
import { type Answer, complete } from './ask.js';
import type { TestRouter } from './router.js';

/** A client of a router, known by the headers that it always sends. */
export class Caller {
  constructor(
    private readonly chutes: ChutesSimulator,
    private readonly router: TestRouter,
    private readonly headers: Readonly<Record<string, string>>,
  ) {}

  async ask(model: string, fields: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    return complete(this.router, { model, ...fields }, { headers: this.headers, redirect: 'manual' });
  }

  /** The models that the upstream was asked for, in order. Nobody else may be asking meanwhile. */
  async tries(model: string): Promise<(string | undefined)[]> {
    const { headers } = await this.ask(model);
    return arrived(this.chutes, Number(headers.get('x-chutes-autopilot-attempts')));
  }

  /** Lets the first model of a list fail once, so that the client is pinned to the second one. */
  async pinToSecond(list: string): Promise<void> {
    const [first = '', second = ''] = list.split(',').map((item) => item.trim());
    this.chutes.behave(first, 'unavailable', { times: 1 });
    const tried = await this.tries(list);
    if (tried.join() !== `${first},${second}`) throw new Error(`Tried ${tried.join()} instead.`);
  }
}

/** Pins the client of some headers to the second of a list, then asks as the client of others: is that the same? */
export async function isSameClient(
  chutes: ChutesSimulator,
  router: TestRouter,
  list: string,
  pinned: Readonly<Record<string, string>>,
  asking: Readonly<Record<string, string>>,
): Promise<boolean> {
  await new Caller(chutes, router, pinned).pinToSecond(list);
  const [first] = await new Caller(chutes, router, asking).tries(list);
  return first === list.split(',')[1];
}

/** The models of the next requests that reach the upstream. */
export async function arrived(chutes: ChutesSimulator, count: number): Promise<(string | undefined)[]> {
  const models: (string | undefined)[] = [];
  for (let i = 0; i < count; i += 1) models.push((await chutes.nextRequest()).model);
  return models;
}
