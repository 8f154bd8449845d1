import { Agent } from 'node:http';
import type { Random } from '../support/random.ts';
import { Call, type CallPlan, type Seen } from './call.ts';
import type { Step } from './step.ts';

export const ALIAS = 'chutesai/AutoPilot';
/** As the router is told; small enough to be met. */
export const MAX_REQUEST_BYTES = 1_000_000;
export const REQUEST_BODY_TIMEOUT_MS = 1_500;
export const UPSTREAM_MAX_CONNECTIONS = 48;
/** How many bodies of the greatest size the router may hold. */
export const FULL_BODIES = 6;

/** What the kinds of requests draw on, and where they hand in what they send and get. */
export interface World {
  readonly port: number;
  /** Ids of the catalog. */
  readonly models: readonly string[];
  /** Of these, ones that give evidence, and ones that are known not to. */
  readonly confidential: readonly string[];
  readonly open: readonly string[];
  readonly steps: readonly Step[];
  /** An endless-looking answer, too big for the buffers on its way. */
  readonly torrent: Step;
  readonly agent: Agent;
  begin(kind: string, plan: CallPlan): Call;
  end(call: Call, seen: Seen): void;
}

/** One kind of request. */
export interface Kind {
  readonly name: string;
  readonly weight: number;
  readonly run: (random: Random, world: World) => Promise<void>;
}
