import { byId, element } from './dom.js';
import { clock, counted, span } from './format.js';
import { answerer, endingWord, storyOf } from './story.js';

/** @typedef {import('./story.js').Decision} Decision */

/** As many as the router keeps. */
const SHOWN = 200;

/** The last decisions as a list of buttons, and the story of the one that is chosen: the newest, until somebody chooses another. */
export class Decisions {
  /** @type {readonly Decision[]} newest first */
  all = [];
  /** @type {Decision | undefined} */
  chosen;
  isFollowing = true;
  filter = '';

  /** @param {(decision: Decision | undefined) => void} onChosen */
  constructor(onChosen) {
    this.onChosen = onChosen;
    this.list = byId('decisions');
    this.follow = byId('follow');
    this.follow.addEventListener('click', () => this.followNewest());
    this.list.addEventListener('keydown', (event) => this.onKey(event));
  }

  /**
   * Forgets what was there before: it may be another process's.
   *
   * @param {readonly Decision[]} decisions newest first
   * @param {readonly Decision[]} told some that may be newer, newest first
   */
  replace(decisions, told) {
    const known = new Set(decisions.map(keyOf));
    this.all = [...told.filter((decision) => !known.has(keyOf(decision))), ...decisions].slice(0, SHOWN);
    const { chosen } = this;
    if (chosen && !this.all.some((decision) => keyOf(decision) === keyOf(chosen))) this.isFollowing = true;
    this.show();
  }

  /** @param {Decision} decision */
  add(decision) {
    this.all = [decision, ...this.all].slice(0, SHOWN);
    this.show();
  }

  /** @param {string} filter a part of a model's name */
  filterBy(filter) {
    this.filter = filter.trim().toLowerCase();
    this.show();
  }

  followNewest() {
    this.isFollowing = true;
    this.show();
  }

  show() {
    const { all, filter } = this;
    const shown = all.filter(({ model }) => filter === '' || (model ?? '').toLowerCase().includes(filter));
    if (this.isFollowing || !this.chosen) this.chosen = shown[0];
    this.follow.setAttribute('aria-pressed', String(this.isFollowing));
    this.showList(shown);
    byId('decisions-count').textContent = all.length === 0 ? '' : `the last ${all.length}`;
    byId('decisions-empty').hidden = shown.length > 0 || all.length === 0;
    this.showStory();
    this.onChosen(this.chosen);
  }

  /** What is there stays, and keeps its focus. @param {readonly Decision[]} shown */
  showList(shown) {
    const known = new Map([...this.list.children].map((item) => [item.getAttribute('data-key'), item]));
    const items = shown.map((decision) => known.get(keyOf(decision)) ?? this.itemOf(decision));
    const wanted = new Set(items);
    for (const item of known.values()) if (!wanted.has(item)) item.remove();
    items.forEach((item, n) => {
      if (this.list.children[n] !== item) this.list.insertBefore(item, this.list.children[n] ?? null);
    });
    const chosen = this.chosen && keyOf(this.chosen);
    for (const item of items) {
      item
        .querySelector('button')
        ?.setAttribute('aria-pressed', String(item.getAttribute('data-key') === chosen));
    }
  }

  /** @param {Decision} decision */
  itemOf(decision) {
    const { time, mode, attempts, failovers, ttfb_ms: ttfbMs, ending, status } = decision;
    const kind = ending !== 'complete' || status >= 400 ? 'bad' : failovers.length > 0 ? 'moved' : 'good';
    const first = ttfbMs === null ? '' : span(ttfbMs);
    const button = element(
      'button',
      { type: 'button', class: kind, 'aria-pressed': 'false' },
      element('span', { class: 'when' }, clock(new Date(time))),
      element('span', { class: 'who' }, answerer(decision)),
      element('span', { class: 'first' }, first),
      element(
        'span',
        { class: 'how' },
        [mode, attempts > 1 ? counted(attempts, 'attempt') : '', endingWord(decision)]
          .filter((part) => part !== '')
          .join(' · '),
      ),
    );
    button.addEventListener('click', () => {
      this.chosen = decision;
      this.isFollowing = false;
      this.show();
    });
    return element('li', { 'data-key': keyOf(decision) }, button);
  }

  showStory() {
    const { chosen } = this;
    const story = byId('story');
    byId('story-empty').hidden = this.all.length > 0;
    story.hidden = !chosen;
    if (!chosen) return;
    const key = keyOf(chosen);
    if (story.getAttribute('data-key') === key) return;
    story.setAttribute('data-key', key);
    const steps = storyOf(chosen).map(({ step, text }) =>
      element('div', {}, element('dt', {}, step), element('dd', {}, text)),
    );
    story.replaceChildren(
      element('h3', {}, answerer(chosen)),
      element('p', { class: 'meta' }, `${clock(new Date(chosen.time))}, request ${chosen.id}`),
      element('dl', {}, ...steps),
    );
  }

  /** Up and down move through the list, Escape follows the newest again. @param {KeyboardEvent} event */
  onKey(event) {
    if (event.key === 'Escape') return this.followNewest();
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return undefined;
    const buttons = [...this.list.querySelectorAll('button')];
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const next = buttons[at + step];
    if (at === -1 || !next) return undefined;
    event.preventDefault();
    next.focus();
    next.click();
    return undefined;
  }
}

/** Clients may use an id twice. @param {Decision} decision */
function keyOf({ id, time }) {
  return `${time} ${id}`;
}
