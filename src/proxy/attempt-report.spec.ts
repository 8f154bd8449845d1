import { beforeEach, expect, test } from '@jest/globals';
import type { ModelId } from '../catalog/model-list.js';
import type { FailureReason } from '../openai/failure-reason.js';
import type { Refusal } from '../openai/refusal-kind.js';
import type { Outcome } from '../upstream/upstream-exchange.client.js';
import { AttemptReport } from './attempt-report.js';
import type { Verdict } from './verdict.js';

const A = 'm/a' as ModelId;
const PROBE = {};
const STREAM = ['content-type', 'text/event-stream'];

let told: string[];

beforeEach(() => {
  told = [];
});

function note(what: string): (...about: readonly unknown[]) => void {
  return (...about) =>
    void told.push([what, ...about.filter((one) => one !== undefined && typeof one !== 'object')].join(' '));
}

function report({ isStreamed = true } = {}): AttemptReport {
  const health = {
    begin: () => PROBE,
    answering: note('answering'),
    succeeded: note('well'),
    failed: note('failed'),
    broke: note('broke'),
    ended: note('nothing'),
  };
  const memories = {
    health,
    firstBytes: { observe: note('first byte') },
  };
  return new AttemptReport(memories, A, isStreamed, { onFailed: note('drop'), onFull: note('avoid') });
}

function answer(status: number, headers: readonly string[] = STREAM): Outcome {
  return { kind: 'opened', status, headers };
}

const RELAY: Verdict = { kind: 'relay' };

test.each<[string, Outcome, Verdict, string[]]>([
  [
    'a reset',
    { kind: 'failed', reason: 'upstream_reset' },
    next('upstream_reset'),
    ['drop m/a', 'failed m/a upstream_reset'],
  ],
  ['a 503', answer(503), next('upstream_503'), ['drop m/a', 'failed m/a upstream_503']],
  [
    'a 503 that is relayed',
    answer(503),
    { kind: 'relay', failure: 'upstream_503' },
    ['drop m/a', 'failed m/a upstream_503'],
  ],
  [
    'a refusal about the model',
    answer(404),
    next('upstream_404', 'model'),
    ['drop m/a', 'failed m/a upstream_404'],
  ],
  [
    'an error as first event',
    answer(200),
    next('upstream_error_event'),
    ['drop m/a', 'failed m/a upstream_error_event'],
  ],
  ['a request that it cannot do', answer(400), next('upstream_400', 'ability'), ['nothing m/a']],
  [
    'a request too long, told in a stream',
    answer(200),
    next('upstream_error_event', 'context'),
    ['nothing m/a'],
  ],
  ['a 400 among the retryable statuses', answer(400), next('upstream_400'), ['drop m/a', 'nothing m/a']],
  [
    'a full model that is relayed',
    answer(429),
    { kind: 'relay', refusal: 'capacity' },
    ['avoid m/a', 'nothing m/a'],
  ],
  [
    'a full model that moves on',
    answer(429),
    next('upstream_429', 'capacity'),
    ['avoid m/a', 'drop m/a', 'nothing m/a'],
  ],
  ['a quota', answer(429), { kind: 'relay', refusal: 'account' }, ['nothing m/a']],
  ['a 401', answer(401), RELAY, ['nothing m/a']],
  ['a redirect', answer(307), RELAY, ['nothing m/a']],
  ['no connection free', { kind: 'overloaded' }, { kind: 'stop' }, ['nothing m/a']],
  ['a client that left', { kind: 'abandoned' }, { kind: 'stop' }, ['nothing m/a']],
  ['a 2xx, of which no more is known yet', answer(200), RELAY, ['answering m/a']],
])('CDN-5, CDN-8: %s', (_, outcome, judged, expected) => {
  report().onJudged(outcome, judged, undefined);
  expect(told).toEqual(expected);
});

test.each<[string, (of: AttemptReport) => void, string[]]>([
  ['ends well', (of) => of.onWhole(), ['well m/a']],
  ['breaks', (of) => of.onBroken(), ['drop m/a', 'broke m/a']],
  ['refuses the request in its stream', (of) => of.onRefused(), ['nothing m/a']],
  ['is given up', (of) => of.onGivenUp(), ['nothing m/a']],
])('CDN-1, CDN-6: a 2xx that %s', (_, end, expected) => {
  const it = report({ isStreamed: false });
  it.onJudged(answer(200), RELAY, 40);
  end(it);
  expect(told).toEqual(expected);
});

test('CDN-1: an answer that counts as failed counts once, however it ends', () => {
  const judged: Verdict = { kind: 'relay', failure: 'upstream_error_event' };
  for (const end of ['onWhole', 'onBroken', 'onGivenUp'] as const) {
    const it = report({ isStreamed: false });
    it.onJudged(answer(200), judged, 40);
    it[end]();
  }
  expect(told.filter((what) => !what.startsWith('drop'))).toEqual(
    Array.from({ length: 3 }, () => 'failed m/a upstream_error_event'),
  );
});

test('CDN-5: how an answer ends that is no 2xx says nothing', () => {
  const it = report();
  it.onJudged(answer(404), RELAY, undefined);
  it.onWhole();
  it.onBroken();
  expect(told).toEqual(['nothing m/a', 'drop m/a']);
});

test.each<[string, Parameters<typeof report>[0], readonly string[], string[]]>([
  ['a stream', {}, STREAM, ['first byte 40', 'answering m/a', 'well m/a 40']],
  ['an answer that was not asked for as a stream', { isStreamed: false }, STREAM, ['well m/a']],
  ['an answer in one piece', {}, ['content-type', 'application/json'], ['first byte 40', 'well m/a']],
])('RNK-15, CDN-10: the first byte of %s', (_, how, headers, expected) => {
  const it = report(how);
  it.onJudged(answer(200, headers), RELAY, 40);
  it.onWhole();
  expect(told).toEqual(expected);
});

test('CDN-10: an attempt that ran out of time counts as one at its deadline', () => {
  const reason = 'upstream_header_timeout';
  report().onJudged({ kind: 'failed', reason }, next(reason), 5_000);
  expect(told[0]).toBe('first byte 5000');
});

function next(failure: FailureReason, refusal?: Refusal): Verdict {
  return refusal ? { kind: 'next', failure, refusal } : { kind: 'next', failure };
}
