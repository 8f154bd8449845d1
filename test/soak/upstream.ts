import { createHash } from 'node:crypto';
import type { ChutesSimulator } from '../../src/simulator/chutes-simulator.ts';
import type { Exchange } from '../../src/simulator/exchange.ts';
import type { NamedFeedBehaviour } from '../../src/simulator/faults/feed-misbehaviour.ts';
import type { RecordedRequest } from '../../src/simulator/recorded-request.ts';
import type { Random } from '../support/random.ts';
import type { Call } from './call.ts';
import type { Demo } from './demo.ts';
import { Front } from './front.ts';
import type { Ledger } from './ledger.ts';
import { wellStep } from './simulated-steps.ts';
import type { Show, Step } from './step.ts';

const FEED_TROUBLES: readonly NamedFeedBehaviour[] = [
  'html',
  'truncated',
  'cut',
  'error',
  'silent',
  'stall',
  'reset',
  'empty',
  'no-body',
  'redirect',
  'wrong-root',
  'odd-rows',
];
const HUGE_CHANCE = 0.02;

/** The simulated Chutes behind its front. It does with each attempt what the request's own plan says. */
export class Upstream {
  readonly simulator: ChutesSimulator;
  readonly front: Front;
  readonly faults = new Map<string, number>();
  readonly #demo: Demo;
  readonly #random: Random;
  readonly #ledger: Ledger;
  readonly #well: Step;
  readonly #open = new Set<RecordedRequest>();
  #feedTrouble: NodeJS.Timeout | undefined;

  private constructor(demo: Demo, simulator: ChutesSimulator, front: Front, random: Random, ledger: Ledger) {
    this.#demo = demo;
    this.simulator = simulator;
    this.front = front;
    this.#random = random;
    this.#ledger = ledger;
    this.#well = wellStep(demo);
    const script = (exchange: Exchange) => this.#answer(exchange);
    simulator.behave('*', { kind: 'scripted', script });
    simulator.feed('evidence', { kind: 'scripted', script });
  }

  static async start(demo: Demo, random: Random, ledger: Ledger): Promise<Upstream> {
    const simulator = await demo.ChutesSimulator.start({ keepRequests: 0, tickMs: 500 });
    return new Upstream(demo, simulator, await Front.start(simulator.url, random), random, ledger);
  }

  /** Requests that have not ended. */
  get openRequests(): number {
    return this.#open.size;
  }

  badWeather(): void {
    this.front.badWeather();
    this.#troubleFeeds();
  }

  async fairWeather(): Promise<void> {
    clearTimeout(this.#feedTrouble);
    for (const feed of ['models', 'utilization'] as const) this.simulator.feed(feed, 'normal');
    await this.front.fairWeather();
  }

  async close(): Promise<void> {
    clearTimeout(this.#feedTrouble);
    await this.front.close();
    await this.simulator.close();
  }

  /** Now one feed fails, now the other, for a while. */
  #troubleFeeds(): void {
    const feed = this.#random.pick(['models', 'utilization'] as const);
    const trouble = this.#random.chance(HUGE_CHANCE) ? 'huge' : this.#random.pick(FEED_TROUBLES);
    this.#count(`feed: ${trouble}`);
    this.simulator.feed(feed, trouble);
    this.#feedTrouble = setTimeout(
      () => {
        this.simulator.feed(feed, 'normal');
        this.#feedTrouble = setTimeout(() => this.#troubleFeeds(), this.#random.between(200, 1_500));
      },
      this.#random.between(400, 1_500),
    );
  }

  async #answer(exchange: Exchange): Promise<void> {
    const { request } = exchange;
    this.#open.add(request);
    void exchange.closed.then(() => this.#open.delete(request));

    const id = String(request.headers['x-request-id']);
    const call = this.#ledger.running.get(id);
    if (!call?.plan.bodyFor) {
      this.#ledger.takeStraggler(id, `${request.method} ${request.path}`);
      return exchange.reset();
    }
    const step = call.plan.steps[call.arrivals.length] ?? this.#well;
    const show = this.#showFor(request, call);
    const carrier = this.front.carrierOf(request.remotePort);
    carrier.endsAnswer = step.isOpenEnded === true;
    call.arrivals.push({
      step: step.name,
      model: request.model ?? '',
      promised: step.promise(show),
      isBodyRight: request.body.equals(call.plan.bodyFor(request.model ?? '')),
      carrier,
      arrivedAtMs: request.arrivedAtMs,
      ending: () => request.ending,
      endedAtMs: () => request.endedAtMs,
    });
    this.#count(step.name);
    await step.run(exchange, show);
  }

  #showFor(request: RecordedRequest, call: Call): Show {
    const { demo, isStream } = { demo: this.#demo, isStream: call.plan.isStream };
    const model = request.model ?? 'evidence';
    // Longer and shorter answers; the same for the same request and model.
    const draw = createHash('sha256').update(`${call.id} ${model}`).digest();
    const isLong = draw[2] === 0;
    const tokens = demo.answerTokens(1, model, 2 + (draw.readUInt16LE(0) % (isLong ? 4_000 : 60)));
    const plan = {
      kind: request.pathname === '/v1/completions' ? ('text' as const) : ('chat' as const),
      id: draw.toString('hex', 4, 20),
      created: 1_771_393_340,
      model,
      tokens,
      finishReason: 'stop' as const,
      promptTokens: 7,
    };
    return {
      performance: {
        plan,
        isStream,
        pace: { firstTokenMs: (draw[20] ?? 0) % 30, tokenMs: !isLong && (draw[21] ?? 0) % 4 === 0 ? 5 : 0 },
        headers: { 'X-Chutes-InvocationID': draw.toString('hex', 4, 8) },
      },
      whole: isStream ? demo.streamEvents(plan).join('') + demo.DONE_EVENT : demo.jsonAnswer(plan),
    };
  }

  #count(name: string): void {
    this.faults.set(name, (this.faults.get(name) ?? 0) + 1);
  }
}
