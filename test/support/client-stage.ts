import { ChutesSimulator } from '../../src/simulator/chutes-simulator.js';
import type { RecordedRequest } from '../../src/simulator/recorded-request.js';
import { type Env, startRouter, type TestRouter } from './router.js';

export const ALIAS = 'chutesai/AutoPilot';
/** The models of the catalog, the better ranked one first. */
export const [FIRST, SECOND] = ['zai-org/GLM-5-TEE', 'Qwen/Qwen3-32B'] as const;
/** A client has no more of a router than this, in place of the provider's own. */
export const KEY = 'cpk_of-a-client';

/** A router in front of a simulated Chutes with two models, for public clients. */
export class ClientStage {
  private constructor(
    readonly chutes: ChutesSimulator,
    private readonly router: TestRouter,
  ) {}

  static async set(env: Env = {}): Promise<ClientStage> {
    const chutes = await ChutesSimulator.start({ simModels: false });
    chutes.models = [SECOND, FIRST];
    chutes.utilization = [
      { name: FIRST, active_instance_count: 9, utilization_current: 0.1 },
      { name: SECOND, active_instance_count: 1, utilization_current: 0.9 },
    ];
    return new ClientStage(chutes, await startRouter(chutes, env));
  }

  /** What clients of Anthropic's take for the base URL. */
  get address(): string {
    return this.router.url;
  }

  get baseURL(): string {
    return `${this.router.url}/v1`;
  }

  /** The models that the upstream was asked for, in order. */
  get models(): readonly (string | undefined)[] {
    return this.chutes.generations.map(({ model }) => model);
  }

  /** The next request that reaches the upstream, or has reached it, and its body. */
  async next(): Promise<{ request: RecordedRequest; body: Readonly<Record<string, unknown>> }> {
    const request = await this.chutes.nextRequest();
    return { request, body: JSON.parse(request.body.toString()) as Record<string, unknown> };
  }

  async clear(): Promise<void> {
    await this.router.close();
    await this.chutes.close();
  }
}
