import type { IncomingMessage } from 'node:http';
import { loadConfig } from '../../src/config/config.js';
import { readAsked } from '../../src/reading/asked.js';
import { candidateOrder } from '../../src/routing/candidate-order.js';
import type { RoutingSnapshot } from '../../src/routing/routing-snapshot.js';
import { clientPoint } from '../../src/routing/spread.js';
import { keyMaterial } from '../../src/sticky/client-key.js';
import { MemoryStore } from '../../src/sticky/memory.store.js';
import { PinHold } from '../../src/sticky/pin-hold.js';
import { StickyService } from '../../src/sticky/sticky.service.js';
import { MetricsService } from '../../src/telemetry/metrics.service.js';
import type { Env } from './router.js';
import { decide, routingSettings } from './routing-stage.js';
import { NO_ADVICE } from './advice.js';

const SYSTEM = { role: 'system', content: 'You are the assistant of a large company.' };
const ANSWER = { role: 'assistant', content: 'Yes.' };
const user = (content: string) => ({ role: 'user', content });
const REQUEST = {
  headers: { authorization: 'Bearer cpk_company' },
  socket: { remoteAddress: '203.0.113.1' },
} as unknown as IncomingMessage;

/** Conversations of one token, all with the same system prompt, by the walk of a request without its sockets. */
export class ConversationStage {
  private readonly settings: ReturnType<typeof routingSettings>;
  private readonly sticky: StickyService;

  /** @param model the alias that is asked for, of those of `aliases` */
  constructor(
    private readonly model: string,
    aliases: string,
    env: Env,
  ) {
    this.settings = routingSettings(aliases);
    const config = loadConfig(env);
    this.sticky = new StickyService(config, new MemoryStore(config.sticky), new MetricsService());
  }

  /**
   * One turn of the n-th conversation: reads, decides, sticks, and answers with the first choice.
   *
   * @param turns how many were before
   */
  turn(n: number, turns: number, snapshot: RoutingSnapshot): string {
    const { model, settings, sticky } = this;
    const said = Array.from({ length: turns }, (_, i) => [ANSWER, user(`${n}: question ${i}`)]).flat();
    const pieces = [Buffer.from(JSON.stringify({ model, messages: [SYSTEM, user(`${n}`), ...said] }))];
    const asked = readAsked(pieces);
    const client = sticky.clientOf(REQUEST, pieces, asked);
    const point = clientPoint(keyMaterial(client));
    const { candidates } = decide(model, snapshot, settings, asked, point);
    const hold = sticky.hold(client, asked, candidates);
    if (!(hold instanceof PinHold)) throw new Error('There is no pin at once.');
    const { pinnedAt } = candidateOrder(candidates, { ...NO_ADVICE, pinned: hold.model });
    const first = (candidates[Math.max(pinnedAt, 0)] as (typeof candidates)[number]).model;
    hold.onAnswered({ model: first, isSecondChoice: false }, 200);
    return first;
  }
}
