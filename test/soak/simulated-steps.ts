import type { Behaviour, NamedKind } from '../../src/simulator/faults/misbehaviour.ts';
import type { ReplyKind } from '../../src/simulator/faults/replies.ts';
import type { Demo } from './demo.ts';
import { cut, none, type Promised, type Show, type Step, whole } from './step.ts';

/** Those whose replies are relayed, or passed over, by their status alone. */
const REPLIES: readonly ReplyKind[] = [
  'unavailable',
  'rate-limited',
  'at-capacity',
  'no-targets',
  'free-limit',
  'unauthorized',
  'payment-required',
  'quota-exceeded',
  'creator-unpaid',
  'model-not-found',
  'not-tee',
  'internal-error',
  'exhausted',
  'no-infrastructure',
  'bad-gateway',
  'gateway-timeout',
];
const OTHERS: readonly NamedKind[] = [
  'normal',
  'silent',
  'headers-then-silence',
  'reset',
  'close',
  'empty-body',
  'reset-after-headers',
  'cut-stream',
  'unframed-error',
  'stall',
  'truncated',
  'no-done',
];

/** Behaviours of the simulator that have a name, some of them in several forms. */
export function simulatedSteps(demo: Demo): Step[] {
  const forms: Behaviour[] = [
    ...[...REPLIES, ...OTHERS].map((name) => demo.behaviourNamed(name)),
    { kind: 'slow-headers', ms: 300 },
    { kind: 'cut-stream', afterChunks: 1, reset: true },
    { kind: 'cut-stream', afterChunks: 12 },
    { kind: 'stall', afterChunks: 1 },
    { kind: 'unframed-error', afterChunks: 20 },
    { kind: 'unfinished', afterChunks: 1 },
    { kind: 'error-event' },
    { kind: 'error-event', followedBy: 'done' },
    { kind: 'error-event', form: 'pretty', followedBy: 'comment' },
    { kind: 'error-event', afterChunks: 0 },
    { kind: 'error-event', afterChunks: 0, form: 'anthropic' },
    { kind: 'error-event', afterChunks: 0, code: 422, followedBy: 'done' },
  ];
  return forms.map((behaviour) => stepOf(demo, behaviour));
}

/** Answers well. */
export function wellStep(demo: Demo): Step {
  return stepOf(demo, { kind: 'normal' });
}

function stepOf(demo: Demo, behaviour: Behaviour): Step {
  return {
    name: behaviour.kind,
    promise: (show) => promiseOf(demo, behaviour, show),
    run: (exchange, show) => demo.perform(exchange, behaviour, show.performance),
  };
}

function promiseOf(demo: Demo, behaviour: Behaviour, show: Show): Promised {
  const { isStream, plan } = show.performance;
  switch (behaviour.kind) {
    case 'normal':
    case 'slow-headers':
      return whole(200, show.whole);
    case 'no-done':
      return whole(200, isStream ? demo.streamEvents(plan).join('') : show.whole);
    case 'silent':
      return none('upstream_header_timeout');
    case 'headers-then-silence':
      return none('upstream_first_body_byte_timeout');
    case 'reset':
    case 'close':
      return none('upstream_reset');
    case 'empty-body':
      return none('upstream_empty_body');
    case 'reset-after-headers':
      return none('upstream_first_body_byte_error', 'upstream_reset');
    case 'cut-stream':
    case 'truncated':
      return cut(show.whole);
    case 'stall':
      return cut(show.whole, ['upstream_idle_timeout']);
    case 'unframed-error': {
      if (!isStream) return whole(500, demo.REPLIES.internalError.body);
      const events = demo.streamEvents(plan).slice(0, behaviour.afterChunks ?? 3);
      return { ...whole(200, events.join('') + demo.UNFRAMED_ERROR), kind: 'unframed' };
    }
    case 'unfinished': {
      if (!isStream) return whole(200, show.whole.slice(0, show.whole.length / 2));
      const events = demo.streamEvents(plan).slice(0, behaviour.afterChunks ?? 3);
      return { ...whole(200, events.join('')), kind: 'unframed' };
    }
    case 'error-event': {
      if (!isStream) return whole(500, demo.REPLIES.internalError.body);
      const { afterChunks = 3, form = 'framed', followedBy } = behaviour;
      const events = demo.streamEvents(plan).slice(0, afterChunks);
      const end = followedBy === 'done' ? demo.DONE_EVENT : followedBy === 'comment' ? ': the end\n\n' : '';
      const told = whole(200, events.join('') + demo.errorInStream(form, behaviour) + end);
      // It is the client's to see.
      if (behaviour.code === 422) return told;
      return { ...told, kind: 'told', reasons: [...told.reasons, 'upstream_error_event'] };
    }
    default: {
      const { kind } = behaviour;
      const known = REPLIES.find((one) => one === kind);
      if (known === undefined) throw new Error(`The soak does not use ${kind}.`);
      const { status, body } = demo.replyOf(known, plan.model);
      return whole(status, body);
    }
  }
}
