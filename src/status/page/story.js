import { counted, listed, size, span } from './format.js';
import { failureWord, needWord, whyWord } from './words.js';

/**
 * @typedef {object} Decision as `/autopilot/decisions` has it
 * @property {string} id
 * @property {string} time
 * @property {string} mode
 * @property {string} [alias]
 * @property {string} [sort]
 * @property {readonly string[]} needs
 * @property {boolean} [dry_run]
 * @property {number} candidates
 * @property {string | null} model
 * @property {boolean} pinned
 * @property {number} attempts
 * @property {readonly string[]} failovers
 * @property {number} status
 * @property {string} ending
 * @property {number | null} ttfb_ms
 * @property {number} duration_ms
 * @property {number} bytes_in
 * @property {number} bytes_out
 * @property {Readonly<Record<string, number>>} excluded
 */

/** @typedef {{ readonly step: string, readonly text: string }} Step */

/** One decision told in words, in the order in which it happened. @param {Decision} decision @returns {readonly Step[]} */
export function storyOf(decision) {
  return [
    { step: 'Asked', text: asked(decision) },
    ...leftOut(decision),
    ...chosenFrom(decision),
    ...tried(decision),
    { step: 'Ended', text: ended(decision) },
  ];
}

/** Who answered, or what came instead. @param {Decision} decision */
export function answerer({ model, dry_run: isDryRun, ending, attempts }) {
  if (model !== null) return model;
  if (isDryRun) return 'dry run';
  if (ending === 'client_gone') return 'the client left';
  return attempts === 0 ? 'refused' : 'no answer';
}

/** @param {Decision} decision */
export function endingWord({ ending, status }) {
  if (ending === 'interrupted') return 'broke off';
  if (ending === 'client_gone') return 'client left';
  return status < 400 ? 'whole' : `error ${status}`;
}

/** @param {Decision} decision */
function asked({ mode, alias, sort, needs, bytes_in: bytes }) {
  const what =
    mode === 'alias'
      ? `For the alias ${alias}, by ${sort}`
      : mode === 'list'
        ? 'For a list of models'
        : mode === 'direct'
          ? 'For one model by its name'
          : 'For evidence, or for nothing that could be read';
  const needed = needs.length === 0 ? '' : ` It needs ${listed(needs.map(needWord))}.`;
  return `${what}, in ${size(bytes)}.${needed}`;
}

/** @param {Decision} decision @returns {readonly Step[]} */
function leftOut({ excluded }) {
  const reasons = Object.entries(excluded).toSorted(([, a], [, b]) => b - a);
  if (reasons.length === 0) return [];
  const total = reasons.reduce((sum, [, models]) => sum + models, 0);
  const parts = reasons.map(([reason, models]) => `${whyWord(reason)} (${models})`);
  return [{ step: 'Left out', text: `${counted(total, 'model')}: ${parts.join(', ')}.` }];
}

/** @param {Decision} decision @returns {readonly Step[]} */
function chosenFrom({ candidates, pinned, mode }) {
  if (candidates === 0) return [];
  const pin = pinned ? ' The model that answered this client last went first.' : '';
  const order = mode === 'list' ? "in the client's order" : 'best first';
  const text =
    mode === 'direct' ? 'The model that was named.' : `${counted(candidates, 'model')}, ${order}.${pin}`;
  return [{ step: 'Chosen from', text }];
}

/** @param {Decision} decision @returns {readonly Step[]} */
function tried({ attempts, failovers, model, status, ttfb_ms: ttfbMs, dry_run: isDryRun }) {
  if (isDryRun) return [{ step: 'Tried', text: 'Nobody: it was a dry run.' }];
  const failed = failovers.map((reason, n) => ({
    step: `Attempt ${n + 1}`,
    text: `Failed: ${failureWord(reason)}.`,
  }));
  if (model === null) {
    if (attempts === 0) return [{ step: 'Tried', text: 'Nobody.' }];
    const waited = { step: `Attempt ${attempts}`, text: 'Had not answered yet.' };
    return attempts > failed.length ? [...failed, waited] : failed;
  }
  const first = ttfbMs === null ? '' : `, first byte after ${span(ttfbMs)}`;
  // A relayed failure of the last candidate is a failed attempt and the answer.
  const answered = { step: 'Answered', text: `${model} with ${status}${first}.` };
  return [...failed, answered];
}

/** @param {Decision} decision */
function ended({ ending, status, duration_ms: ms, bytes_out: bytes }) {
  const after = `after ${span(ms)}, ${size(bytes)} sent`;
  if (ending === 'interrupted') return `Broken off ${after}. The client was told.`;
  if (ending === 'client_gone') return `The client left ${after}.`;
  return status < 400 ? `Whole, ${after}.` : `With the error ${status}, ${after}.`;
}
