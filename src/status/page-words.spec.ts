import { describe, expect, test } from '@jest/globals';
// Of the page, which is not TypeScript.
import { linePath, span } from './page/format.js';
import { answerer, type Decision, endingWord, storyOf } from './page/story.js';

const DECISION: Decision = {
  id: 'a',
  time: '2026-11-30T01:00:00.000Z',
  mode: 'alias',
  alias: 'auto',
  sort: 'capacity',
  needs: ['image', 'tools'],
  candidates: 5,
  model: 'a/model',
  pinned: false,
  attempts: 2,
  failovers: ['upstream_503'],
  status: 200,
  ending: 'complete',
  ttfb_ms: 250,
  duration_ms: 2_100,
  bytes_in: 1_500,
  bytes_out: 4_200,
  excluded: { lacks_image: 12, no_instance: 31 },
};

describe('the story of a decision', () => {
  test('STA-18: tells what was asked, who was left out, who was tried, who answered, and how it ended', () => {
    expect(storyOf(DECISION)).toEqual([
      { step: 'Asked', text: 'For the alias auto, by capacity, in 1.5 kB. It needs pictures and tools.' },
      { step: 'Left out', text: '43 models: no instance runs (31), lacks pictures (12).' },
      { step: 'Chosen from', text: '5 models, best first.' },
      { step: 'Attempt 1', text: 'Failed: it is busy (503).' },
      { step: 'Answered', text: 'a/model with 200, first byte after 250 ms.' },
      { step: 'Ended', text: 'Whole, after 2.1 s, 4.2 kB sent.' },
    ]);
  });

  test.each<[string, Partial<Decision>, string]>([
    [
      'a pin',
      { pinned: true },
      'Chosen from: 5 models, best first. The model that answered this client last went first.',
    ],
    ['a list', { mode: 'list' }, "Chosen from: 5 models, in the client's order."],
    ['one model', { mode: 'direct', candidates: 1 }, 'Chosen from: The model that was named.'],
    ['a dry run', { dry_run: true, model: null }, 'Tried: Nobody: it was a dry run.'],
    ['a refusal', { mode: 'none', attempts: 0, failovers: [], model: null, status: 400 }, 'Tried: Nobody.'],
    [
      'a client that did not wait',
      { ending: 'client_gone', status: 499, attempts: 2, model: null },
      'Attempt 2: Had not answered yet.',
    ],
    ['an error', { status: 429 }, 'Ended: With the error 429, after 2.1 s, 4.2 kB sent.'],
    [
      'a broken answer',
      { ending: 'interrupted' },
      'Ended: Broken off after 2.1 s, 4.2 kB sent. The client was told.',
    ],
    ['a client that left', { ending: 'client_gone' }, 'Ended: The client left after 2.1 s, 4.2 kB sent.'],
    ['a reason that is new', { failovers: ['upstream_new_thing'] }, 'Attempt 1: Failed: upstream new thing.'],
    ['a status without a meaning', { failovers: ['upstream_418'] }, 'Attempt 1: Failed: status 418.'],
  ])('STA-18: of %s', (_what, change, sentence) => {
    expect(storyOf({ ...DECISION, ...change }).map(({ step, text }) => `${step}: ${text}`)).toContain(
      sentence,
    );
  });

  test('STA-18: in a word', () => {
    expect(endingWord(DECISION)).toBe('whole');
    expect(endingWord({ ...DECISION, status: 503 })).toBe('error 503');
    const failed = { ...DECISION, model: null, status: 503 };
    expect(answerer(DECISION)).toBe('a/model');
    expect(answerer(failed)).toBe('no answer');
    expect(answerer({ ...failed, attempts: 0 })).toBe('refused');
  });
});

describe('figures', () => {
  test.each([
    [0.4, '0 ms'],
    [999, '999 ms'],
    [1_500, '1.5 s'],
    [59_000, '59 s'],
    [600_000, '10 min'],
    [7_200_000, '2 h'],
  ])('STA-18: %d ms are %s', (ms, text) => {
    expect(span(ms)).toBe(text);
  });

  test('STA-18: a line ends on the right, and breaks where nothing is known', () => {
    const box = { width: 32, height: 12, top: 1, slots: 4 };
    expect(linePath([], box)).toBe('');
    expect(linePath([0, 1], box)).toBe('M21.0 11.0L31.0 1.0');
    expect(linePath([0.5, null, 2], box)).toBe('M11.0 6.0L11.0 6.0M31.0 1.0L31.0 1.0');
  });
});
