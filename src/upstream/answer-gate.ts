import type { AnswerFailure } from '../openai/failure-reason.js';
import type { Refusal } from '../openai/refusal-kind.js';
import { HOLDS, type HoldingRule } from './commit-rule.js';
import { isEmptyAnswer } from './empty-answer.js';
import { meaningOf } from './error-event.js';
import { FirstEvent } from './first-event.js';
import { refusalOf } from './refusal.js';

/** What speaks against relaying an answer while another candidate is left. Neither: nothing. */
export interface Finding {
  /** Why the attempt failed. */
  readonly failure?: AnswerFailure;
  /** What a refusal is about, whether it came as a status or as the first event of a stream. */
  readonly refusal?: Refusal;
}

const NOTHING: Finding = {};

/**
 * Reads an answer up to where it is chosen, as far as its rule says. What has come is held elsewhere.
 *
 * Each method returns `undefined` while the choice is open, else what was found; after that none is to be called again.
 */
export interface AnswerGate {
  push(chunk: Buffer): Finding | undefined;
  /** The answer ended well. @param held all of it */
  end(held: readonly Buffer[]): Finding;
  break(): Finding;
  /** The time for it is over. */
  expire(): Finding;
}

export function gateFor(rule: HoldingRule, status: number, retriesEmpty: boolean): AnswerGate {
  switch (rule) {
    case 'first-event':
      return new StreamGate(retriesEmpty);
    case 'whole':
      return new WholeGate(retriesEmpty);
    case 'refusal-body':
      return new RefusalGate(status);
  }
}

class StreamGate implements AnswerGate {
  private readonly beginning = new FirstEvent();

  constructor(private readonly retriesEmpty: boolean) {}

  push(chunk: Buffer): Finding | undefined {
    const beginning = this.beginning.push(chunk);
    if (beginning === 'more') return undefined;
    return beginning === 'good' ? NOTHING : this.error();
  }

  end(held: readonly Buffer[]): Finding {
    if (this.beginning.end() === 'error') return this.error();
    return emptiness(held, true, this.retriesEmpty);
  }

  break(): Finding {
    return BROKEN;
  }

  expire(): Finding {
    return NOTHING;
  }

  private error(): Finding {
    const meaning = meaningOf(this.beginning.error);
    switch (meaning) {
      case 'refused':
        return NOTHING;
      case 'failed':
        return { failure: 'upstream_error_event' };
      case 'context':
      case 'ability':
        return { failure: 'upstream_error_event', refusal: meaning };
    }
  }
}

class WholeGate implements AnswerGate {
  private bytes = 0;

  constructor(private readonly retriesEmpty: boolean) {}

  push(chunk: Buffer): Finding | undefined {
    this.bytes += chunk.length;
    return this.bytes >= HOLDS.whole.bytes ? NOTHING : undefined;
  }

  end(held: readonly Buffer[]): Finding {
    return emptiness(held, false, this.retriesEmpty);
  }

  break(): Finding {
    return BROKEN;
  }

  expire(): Finding {
    return NOTHING;
  }
}

class RefusalGate implements AnswerGate {
  private bytes = 0;

  constructor(private readonly status: number) {}

  push(chunk: Buffer): Finding | undefined {
    this.bytes += chunk.length;
    return this.bytes > HOLDS['refusal-body'].bytes ? this.find(undefined) : undefined;
  }

  end(held: readonly Buffer[]): Finding {
    return this.find(Buffer.concat(held));
  }

  break(): Finding {
    return this.find(undefined);
  }

  expire(): Finding {
    return this.find(undefined);
  }

  private find(body: Buffer | undefined): Finding {
    const refusal = refusalOf(this.status, body);
    return refusal ? { refusal } : NOTHING;
  }
}

const BROKEN: Finding = { failure: 'upstream_broken_body' };
const EMPTY: Finding = { failure: 'upstream_empty_answer' };

function emptiness(held: readonly Buffer[], isEventStream: boolean, retriesEmpty: boolean): Finding {
  return retriesEmpty && isEmptyAnswer(Buffer.concat(held), isEventStream) ? EMPTY : NOTHING;
}
