import { Decisions } from './decisions.js';
import { byId, element } from './dom.js';
import { ago, clock } from './format.js';
import { markModel, showCountdowns, showModels } from './table.js';

/** Where the data is, beside this file. */
const MODELS = new URL('models', import.meta.url);
const DECISIONS = new URL('decisions', import.meta.url);
const EVENTS = new URL('events', import.meta.url);

/** Without an event for so long the page asks by itself: feeds that bring the same change nothing, but get younger. */
const QUIET_MS = 10_000;
const SOON_MS = 500;
const TIMEOUT_MS = 5_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 10_000;

const NOT_READY = /** @type {Readonly<Record<string, string>>} */ ({
  shutting_down: 'shutting down',
  allowlist_empty: 'the model list is empty',
  missing_allowlist: 'no model list yet',
  stale_allowlist: 'the model list is old',
  missing_snapshot: 'no utilization yet',
  no_candidates: 'no model runs',
  stale_snapshot: 'the utilization is old',
});

/** @type {{ models: any, receivedAtMs: number, events: EventSource | undefined, isPolling: boolean, lostAt: Date | undefined, retryAtMs: number, retryMs: number, isAsking: boolean }} */
const state = {
  models: undefined,
  receivedAtMs: 0,
  events: undefined,
  isPolling: false,
  lostAt: undefined,
  retryAtMs: 0,
  retryMs: FIRST_RETRY_MS,
  isAsking: false,
};

const filter = /** @type {HTMLInputElement} */ (byId('filter'));
const alias = /** @type {HTMLSelectElement} */ (byId('alias'));
let isCatchingUp = false;
const decisions = new Decisions((decision) => markModel(decision?.model));

function connect() {
  state.events?.close();
  const events = new EventSource(EVENTS);
  state.events = events;
  /** @type {any[]} newest first */
  const told = [];
  // What happened meanwhile is asked for once the events flow, and what they tell until the answer is here may be in it or not.
  events.addEventListener('open', () => void catchUp(told));
  events.addEventListener('error', () => void goOnWithoutEvents());
  events.addEventListener('models', ({ data }) => {
    const models = JSON.parse(data);
    if (isShown(models)) receive(models);
    else ask().catch(() => {});
  });
  events.addEventListener('decision', ({ data }) => {
    const decision = JSON.parse(data);
    if (isCatchingUp) told.unshift(decision);
    decisions.add(decision);
    // A failure may have changed what comes first.
    if (decision.failovers.length > 0) askSoon();
  });
}

/** Once for all that happens in the meantime. */
function askSoon() {
  if (state.isAsking) return;
  state.isAsking = true;
  setTimeout(() => {
    state.isAsking = false;
    // Should the router be gone, the events say so.
    ask().catch(() => {});
  }, SOON_MS);
}

/** @param {any[]} told decisions that events tell of in the meantime */
async function catchUp(told) {
  isCatchingUp = true;
  try {
    await load(told);
    state.isPolling = false;
    state.retryMs = FIRST_RETRY_MS;
  } catch {
    lose();
  }
  isCatchingUp = false;
  showConnection();
}

/** They are refused where too many watch, and end first when the router does: the data may be there all the same. */
async function goOnWithoutEvents() {
  closeEvents();
  try {
    await load([]);
    state.isPolling = true;
    retryLater();
  } catch {
    lose();
  }
  showConnection();
}

/** @param {any[]} told decisions that may be newer than the list */
async function load(told) {
  const [list] = await Promise.all([get(DECISIONS), ask()]);
  decisions.replace(list.data, told);
  state.lostAt = undefined;
}

/** The connection is gone: says so, and tries again. */
function lose() {
  closeEvents();
  state.lostAt ??= new Date();
  retryLater();
  showConnection();
}

function closeEvents() {
  state.events?.close();
  state.events = undefined;
  // Until it is settled how to go on.
  state.retryAtMs = Infinity;
}

function retryLater() {
  state.retryAtMs = performance.now() + state.retryMs;
  state.retryMs = Math.min(LAST_RETRY_MS, state.retryMs * 2);
}

async function ask() {
  const url = new URL(MODELS);
  const wanted = alias.value;
  if (wanted !== '') url.searchParams.set('alias', wanted);
  const response = await request(url);
  // A router that was started anew may have other aliases.
  const models = await (response.status === 404 ? get(MODELS) : bodyOf(response));
  // Whoever chose another one meanwhile waits for that.
  if (alias.value === wanted) receive(models);
}

/** @param {URL} url */
async function get(url) {
  return bodyOf(await request(url));
}

/** @param {URL} url */
async function request(url) {
  return fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
}

/** @param {Response} response */
async function bodyOf(response) {
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

/** Events are about the first alias. @param {any} models */
function isShown(models) {
  return alias.value === '' || alias.value === models.alias;
}

/** @param {any} models */
function receive(models) {
  state.models = models;
  state.receivedAtMs = performance.now();
  showAliases(models);
  show();
}

/** @param {any} models */
function showAliases({ aliases, alias: shown }) {
  const known = [...alias.options].map(({ value }) => value);
  if (JSON.stringify(known) === JSON.stringify(aliases)) return;
  alias.replaceChildren(
    ...aliases.map((/** @type {string} */ name) => element('option', { value: name }, name)),
  );
  alias.value = shown;
}

function show() {
  if (!state.models) return;
  showModels(state.models.data, filter.value, state.receivedAtMs);
  markModel(decisions.chosen?.model);
  showFacts();
}

function showFacts() {
  if (!state.models) return;
  const { ready, reason, feeds } = state.models;
  const passed = performance.now() - state.receivedAtMs;
  const age = (/** @type {number | null} */ ms) => ago(ms === null ? null : ms + passed);
  const readiness = ready ? 'ready' : `not ready: ${NOT_READY[reason] ?? reason}`;
  byId('readiness').textContent = state.lostAt ? 'unknown' : readiness;
  byId('readiness').setAttribute('data-ready', String(ready && !state.lostAt));
  byId('utilization-age').textContent = age(feeds.utilization);
  byId('models-age').textContent = age(feeds.models);
  byId('stats').hidden = feeds.stats === null;
  byId('stats-age').textContent = age(feeds.stats);
}

function showConnection() {
  const { lostAt } = state;
  const pill = byId('connection');
  const isLost = lostAt !== undefined;
  const text = isLost ? 'Connection lost' : state.isPolling ? 'Every few seconds' : 'Live';
  if (pill.textContent !== text) pill.textContent = text;
  pill.setAttribute('data-state', isLost ? 'lost' : state.isPolling ? 'polling' : 'live');
  document.body.classList.toggle('stale', isLost);
  showFacts();
  byId('lost').hidden = !isLost;
  if (isLost) showLost(lostAt);
}

/** @param {Date} since */
function showLost(since) {
  const seconds = Math.max(0, Math.ceil((state.retryAtMs - performance.now()) / 1_000));
  const isTrying = state.events !== undefined || seconds === Infinity;
  const next = isTrying ? 'Trying now.' : `Next try in ${seconds} s.`;
  const text = `No connection to the router since ${clock(since)}. What you see is as it was then.`;
  const told = byId('lost-since');
  if (told.textContent !== text) told.textContent = text;
  byId('lost-next').textContent = next;
}

function tick() {
  showFacts();
  showCountdowns();
  if (!state.events && performance.now() >= state.retryAtMs) connect();
  if (state.lostAt) showConnection();
  else if (state.models && !state.isAsking && performance.now() - state.receivedAtMs > QUIET_MS) {
    state.isAsking = true;
    ask()
      .catch(() => lose())
      .finally(() => {
        state.isAsking = false;
      });
  }
}

filter.addEventListener('input', () => {
  show();
  decisions.filterBy(filter.value);
});
alias.addEventListener('change', () => void ask().catch(() => lose()));
document.addEventListener('keydown', (event) => {
  const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
  if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  filter.focus();
});
setInterval(tick, 1_000);
connect();
