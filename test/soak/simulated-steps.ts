import type { Behaviour, NamedKind } from '../../src/simulator/faults/misbehaviour.ts';
import type { Demo } from './demo.ts';
import { cut, none, type Promised, type Show, type Step, whole } from './step.ts';

/** Every behaviour of the simulator that has a name, some of them in several forms. */
export function simulatedSteps(demo: Demo): Step[] {
  const plain = demo.SIM_MODEL_IDS.map((id) => ({ kind: id.slice('sim/'.length) as NamedKind }));
  const forms: Behaviour[] = [
    ...plain.filter(({ kind }) => kind !== 'slow-headers' && kind !== 'echo'),
    { kind: 'slow-headers', ms: 300 },
    { kind: 'cut-stream', afterChunks: 1, reset: true },
    { kind: 'cut-stream', afterChunks: 12 },
    { kind: 'stall', afterChunks: 1 },
    { kind: 'unframed-error', afterChunks: 20 },
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
    case 'unavailable':
    case 'rate-limited':
    case 'at-capacity':
    case 'unauthorized':
    case 'payment-required':
    case 'internal-error':
    case 'bad-gateway':
    case 'gateway-timeout': {
      const { status, body } = demo.REPLY_OF_KIND[behaviour.kind];
      return whole(status, body);
    }
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
    case 'echo':
    case 'status':
    case 'scripted':
      throw new Error(`The soak does not use ${behaviour.kind}.`);
  }
}
