import { byId, drawing, element } from './dom.js';
import { counted, dollars, figure, linePath, percent, span, tokens } from './format.js';
import { needWord, whyWord } from './words.js';

/**
 * @typedef {object} Model as `/autopilot/models` has it
 * @property {string} id
 * @property {number | null} place
 * @property {string | null} why
 * @property {number | null} score
 * @property {number | null} ttft_s
 * @property {number | null} instances
 * @property {number | null} utilization
 * @property {number | null} context_length
 * @property {readonly string[] | null} supported_features
 * @property {readonly string[] | null} input_modalities
 * @property {boolean | null} confidential_compute
 * @property {{ readonly prompt: number, readonly completion: number } | null} pricing
 * @property {{ readonly remaining_ms: number, readonly cooldowns: number } | null} cooldown
 * @property {{ readonly utilization: readonly (number | null)[], readonly ttft_s: readonly (number | null)[] }} history
 */

const LINE = { width: 72, height: 20, slots: 60 };
/** Worth a mark each, in this order; the rest is in the entry of the catalog. */
const MARKED = ['tools', 'json_mode', 'structured_outputs', 'image', 'video', 'audio', 'file'];
const MARKS = /** @type {Readonly<Record<string, string>>} */ ({
  json_mode: 'json',
  structured_outputs: 'schema',
});

/** @param {readonly Model[]} models in their order @param {string} filter @param {number} receivedAtMs */
export function showModels(models, filter, receivedAtMs) {
  const best = Math.max(0.01, ...models.map(({ score }) => score ?? 0));
  const slowest = Math.max(
    0.1,
    ...models.flatMap(({ history, ttft_s: now }) => [now ?? 0, ...history.ttft_s.map((point) => point ?? 0)]),
  );
  const wanted = filter.trim().toLowerCase();
  const shown = models.filter(({ id }) => id.toLowerCase().includes(wanted));
  byId('models').replaceChildren(...shown.map((model) => rowOf(model, { best, slowest, receivedAtMs })));
  byId('table').hidden = shown.length === 0;
  const empty = byId('models-empty');
  empty.hidden = shown.length > 0;
  empty.textContent =
    models.length === 0 ? 'The router has no model list yet, or an empty one.' : 'No model of this name.';
  const inOrder = models.filter(({ place }) => place !== null).length;
  byId('models-count').textContent =
    models.length === 0 ? '' : `${inOrder} of ${models.length} can be chosen`;
  showCountdowns();
}

/** Brings the countdowns up to date. */
export function showCountdowns() {
  for (const countdown of document.querySelectorAll('[data-until]')) {
    const left = Number(countdown.getAttribute('data-until')) - performance.now();
    countdown.textContent = left > 0 ? `${Math.ceil(left / 1_000)} s` : 'over';
  }
}

/** Marks the row of the model that a decision went to. @param {string | null | undefined} id */
export function markModel(id) {
  for (const row of byId('models').children) {
    if (id !== null && id !== undefined && row.getAttribute('data-id') === id)
      row.setAttribute('aria-current', 'true');
    else row.removeAttribute('aria-current');
  }
}

/** @param {Model} model @param {{ best: number, slowest: number, receivedAtMs: number }} scales */
function rowOf(model, { best, slowest, receivedAtMs }) {
  const {
    id,
    place,
    score,
    utilization,
    ttft_s: ttft,
    instances,
    context_length: context,
    pricing,
    history,
  } = model;
  const utilizationTop = Math.max(1, ...history.utilization.map((point) => point ?? 0));
  return element(
    'tr',
    { role: 'row', 'data-id': id, class: place === null ? 'out' : 'in' },
    cell('place', '', place === null ? '–' : String(place)),
    element('th', { role: 'rowheader', scope: 'row', class: 'name' }, nameOf(id), marksOf(model)),
    cell('score', 'Score', ...scoreOf(score, best)),
    cell(
      'line',
      'Utilization',
      value(utilization === null ? '–' : percent(utilization)),
      line(history.utilization, utilizationTop, 'utilization'),
    ),
    cell(
      'line',
      'First token',
      value(ttft === null ? '–' : span(ttft * 1_000)),
      line(history.ttft_s, slowest, 'ttft'),
    ),
    cell('number', 'Instances', instances === null ? '–' : String(instances)),
    cell('number', 'Context', context === null ? '–' : tokens(context)),
    cell('number price', 'Price', ...priceOf(pricing)),
    cell('state', 'State', stateOf(model, receivedAtMs)),
  );
}

/** @param {string} name @param {string} label for where the table is narrow @param {...(Node | string)} children */
function cell(name, label, ...children) {
  return element(
    'td',
    { role: 'cell', class: name, ...(label === '' ? {} : { 'data-label': label }) },
    ...children,
  );
}

/** @param {string} text */
function value(text) {
  return element('span', { class: 'value' }, text);
}

/** The part that tells models apart stands out. @param {string} id */
function nameOf(id) {
  const slash = id.lastIndexOf('/') + 1;
  return element(
    'span',
    { class: 'id' },
    element('span', { class: 'owner' }, id.slice(0, slash)),
    element('wbr'),
    element('span', {}, id.slice(slash)),
  );
}

/** @param {Model} model */
function marksOf({
  supported_features: features,
  input_modalities: modalities,
  confidential_compute: isConfidential,
}) {
  const has = new Set([...(features ?? []), ...(modalities ?? [])]);
  const marks = MARKED.filter((mark) => has.has(mark)).map((mark) => element('li', {}, MARKS[mark] ?? mark));
  if (isConfidential === true) marks.push(element('li', { class: 'tee', title: needWord('tee') }, 'TEE'));
  return element('ul', { class: 'marks', 'aria-label': 'Can' }, ...marks);
}

/** @param {number | null} score @param {number} best */
function scoreOf(score, best) {
  if (score === null || !Number.isFinite(score)) return ['–'];
  const width = (100 * Math.max(0, score)) / best;
  const bar = drawing('svg', {
    class: 'bar-of',
    viewBox: '0 0 100 6',
    preserveAspectRatio: 'none',
    'aria-hidden': 'true',
  });
  bar.append(
    drawing('rect', { class: 'track', width: '100', height: '6' }),
    drawing('rect', { class: 'fill', width: width.toFixed(1), height: '6' }),
  );
  return [value(figure(score)), bar];
}

/** @param {readonly (number | null)[]} points @param {number} top @param {string} kind */
function line(points, top, kind) {
  const { width, height } = LINE;
  if (points.length === 0) return '';
  const shape = drawing('svg', {
    class: `spark ${kind}`,
    viewBox: `0 0 ${width} ${height}`,
    'aria-hidden': 'true',
  });
  shape.append(
    drawing('path', { class: 'base', d: `M0 ${height - 1}H${width}` }),
    drawing('path', { d: linePath(points, { ...LINE, top }) }),
  );
  return shape;
}

/** @param {Model['pricing']} pricing */
function priceOf(pricing) {
  if (pricing === null) return ['–'];
  return [
    element('span', { title: 'per million tokens that are read' }, dollars(pricing.prompt)),
    element('span', { class: 'owner' }, ' / '),
    element('span', { title: 'per million tokens that are written' }, dollars(pricing.completion)),
  ];
}

/** @param {Model} model @param {number} receivedAtMs */
function stateOf({ why, place, cooldown }, receivedAtMs) {
  if (cooldown) {
    const countdown = element('span', { 'data-until': String(receivedAtMs + cooldown.remaining_ms) });
    const title = `${counted(cooldown.cooldowns, 'cooldown')} since it last answered well`;
    return element('span', { class: 'badge cooling', title }, 'cooling down, ', countdown);
  }
  if (place === null) return element('span', { class: 'badge out' }, why === null ? 'out' : whyWord(why));
  if (why === null || why === 'ranked') return element('span', { class: 'owner' }, 'in order');
  return element('span', { class: 'badge unknown' }, whyWord(why));
}
