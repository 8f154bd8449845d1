import { complete } from './ask.js';
import { eventually, type TestRouter } from './router.js';

/** Clients that send one request after the other until they are stopped. */
export class SteadyLoad {
  readonly statuses = new Set<number>();
  count = 0;
  /** The longest time that an answer took. */
  slowestMs = 0;
  readonly #router: TestRouter;
  readonly #model: string;
  readonly #workers: readonly Promise<void>[];
  #isOn = true;

  constructor(router: TestRouter, model: string, workers: number) {
    this.#router = router;
    this.#model = model;
    this.#workers = Array.from({ length: workers }, async (_, n) => this.#work(`Bearer cpk_load_${n}`));
  }

  /** Waits for so many further answers. */
  async more(answers: number): Promise<void> {
    const target = this.count + answers;
    await eventually(() => this.count >= target, 30_000);
  }

  async stop(): Promise<void> {
    this.#isOn = false;
    await Promise.all(this.#workers);
  }

  async #work(authorization: string): Promise<void> {
    while (this.#isOn) {
      const startedMs = performance.now();
      const { status } = await complete(this.#router, { model: this.#model }, { headers: { authorization } });
      this.slowestMs = Math.max(this.slowestMs, performance.now() - startedMs);
      this.statuses.add(status);
      this.count += 1;
    }
  }
}
