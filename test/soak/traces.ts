import type { LogLine } from '../support/router.ts';
import { Call, type CallPlan, type Seen } from './call.ts';
import { judge, type Verdict } from './judge.ts';
import { type Promised, whole } from './step.ts';

export const LIMITS = { headerTimeoutMs: 500, firstByteTimeoutMs: 500, idleTimeoutMs: 500 };
export const JSON_BODY = '{"object":"chat.completion"}';
export const LINE: LogLine = {
  status: 200,
  ending: 'complete',
  attempts: 1,
  failovers: [],
  bytes_out: JSON_BODY.length,
  duration_ms: 9,
};

/** What one direct request leaves at its client, its upstream and in the log. */
export interface Traces {
  readonly seen?: Partial<Omit<Seen, 'body'>> & { readonly body?: string };
  readonly promised?: readonly Promised[];
  /** How the upstream saw them end, if not all of them answered. */
  readonly endings?: readonly string[];
  readonly line?: LogLine;
  readonly lines?: readonly LogLine[];
  readonly plan?: Partial<CallPlan>;
}

export const PLAN: CallPlan = {
  mode: 'direct',
  isStream: false,
  steps: [],
  bodyFor: () => Buffer.alloc(0),
  errors: ['overloaded'],
  lines: 1,
};

/** What the soak makes of them. */
export function verdictOf({
  seen,
  promised = [whole(200, JSON_BODY)],
  endings = [],
  line,
  lines,
  plan,
}: Traces): Verdict {
  const call = new Call('id', 'test', { ...PLAN, ...plan });
  for (const [n, one] of promised.entries()) {
    call.arrivals.push({
      step: 'a step',
      model: `model ${n}`,
      promised: one,
      isBodyRight: true,
      carrier: { cutAtMs: undefined, endsAnswer: false },
      arrivedAtMs: 0,
      ending: () => endings[n] ?? 'answered',
      endedAtMs: () => 5,
    });
  }
  call.lines.push(...(lines ?? [{ ...LINE, ...line }]));
  call.seen = {
    ending: 'complete',
    status: 200,
    headers: { 'x-request-id': 'id' },
    endedAtMs: 10,
    ...seen,
    body: Buffer.from(seen?.body ?? JSON_BODY),
  };
  return judge(call, LIMITS);
}

export const ERROR_BODY =
  '{"error":{"message":"No.","type":"server_error","param":null,"code":"upstream_reset"}}';
export const ERROR_SEEN = {
  status: 502,
  headers: { 'x-request-id': 'id', 'content-type': 'application/json' },
  body: ERROR_BODY,
};
