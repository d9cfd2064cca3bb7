// How the installation is: the doctor's findings, and plots of what fills up or falls behind.

import { Problem, isAborted } from '../api.js';
import { fill, h } from '../dom.js';
import { inWords } from '../telling.js';
import { bytes, stretch, time } from '../times.js';
import { called, texts } from '../texts.js';
import { Plot } from './plot.js';
import { CapturesByDay } from './captures_by_day.js';

/**
 * @import { ChecksView, HistoryView, OutcomesPage } from '../../types.js'
 * @import { Api } from '../api.js'
 * @import { Page } from '../main.js'
 * @typedef {keyof typeof own.quantities} Quantity
 */

const own = texts.admin.instance;
const AGAIN_MS = 15_000;
/** How far back the plots go. @satisfies {Record<string, number>} */
const MINUTES = { hour: 60, day: 1440, week: 10_080 };
/** @type {[Quantity, (value: number) => string][]} */
const PLOTS = [
  ['free_disk_bytes', bytes],
  ['buffered_bytes', bytes],
  ['clips_bytes', bytes],
  ['media_lag_seconds', own.seconds],
  ['index_lag_seconds', own.seconds],
  ['active_sessions', String],
];
const TONES = { fail: 'bad', warn: 'warn', unknown: 'soft', ok: 'good' };
const GRAVEST = Object.keys(TONES);

/** @param {Page} page */
export function open({ api }) {
  const view = new Instance(api);
  view.begin();
  return { element: view.element, close: () => view.close() };
}

class Instance {
  #ending = new AbortController();
  /** @type {number | undefined} */
  #timer;
  #plots = PLOTS.map(([name, say]) => ({ name, plot: new Plot(own.quantities[name], say) }));
  #checks = h('ul', { class: 'checks' });
  #state = h('p', { class: 'note', role: 'status' }, texts.listing.loading);
  #wrong = h('p', { class: 'bad-text', role: 'alert', hidden: true });
  #again = h('button', { onclick: () => void this.#look() }, own.again);
  #full = h('p', { class: 'notice', role: 'status', hidden: true });
  #captures = new CapturesByDay();
  #minutes = MINUTES.hour;

  /** @param {Api} api */
  constructor(api) {
    this.api = api;
    this.element = h(
      'section',
      {},
      h('div', { class: 'row top' }, h('h1', {}, own.title), this.#again),
      this.#wrong,
      h('h2', {}, own.checks),
      this.#state,
      this.#checks,
      h('h2', {}, own.history),
      this.#full,
      this.#ranges(),
      h(
        'div',
        { class: 'plots' },
        this.#plots.map(({ plot }) => plot.element),
      ),
      h('h2', {}, own.captures.title),
      this.#captures.element,
    );
    document.addEventListener('visibilitychange', () => void (document.hidden || this.begin()), {
      signal: this.#ending.signal,
    });
  }

  #ranges() {
    const ranges = /** @type {(keyof typeof MINUTES)[]} */ (Object.keys(MINUTES)).map((name) => {
      const onchange = () => {
        this.#minutes = MINUTES[name];
        void this.#look();
      };
      const radio = h('input', { type: 'radio', name: 'range', checked: MINUTES[name] === this.#minutes, onchange });
      return h('label', { class: 'check' }, radio, own.ranges[name]);
    });
    return h('fieldset', { class: 'ranges' }, h('legend', { class: 'visually-hidden' }, own.range), ranges);
  }

  begin() {
    clearTimeout(this.#timer);
    void this.#look();
  }

  close() {
    this.#ending.abort();
    clearTimeout(this.#timer);
    for (const { plot } of this.#plots) plot.close();
  }

  /** Asks, and again in a while; not where nobody looks. */
  async #look() {
    clearTimeout(this.#timer);
    const { signal } = this.#ending;
    try {
      const minutes = this.#minutes;
      /** @type {[HistoryView, ChecksView, OutcomesPage]} */
      const [history, checks, captures] = await Promise.all([
        this.api.get('/operations/history', { minutes }, { signal }),
        this.api.get('/operations/checks', {}, { signal }),
        this.api.get('/operations/captures', {}, { signal }),
      ]);
      if (minutes !== this.#minutes) return; // another look is on its way
      this.#showHistory(history);
      this.#captures.show(captures.items);
      this.#showChecks(checks);
      this.#wrong.hidden = true;
    } catch (error) {
      if (isAborted(error)) return;
      this.#wrong.textContent = inWords(error);
      this.#wrong.hidden = false;
      if (error instanceof Problem && error.status === 403) return;
    }
    if (!document.hidden && !signal.aborted) this.#timer = setTimeout(() => void this.#look(), AGAIN_MS);
  }

  /** @param {HistoryView} history */
  #showHistory(history) {
    const full = history.disk_full_at === null ? '' : fullIn(Date.parse(history.disk_full_at) - this.api.now());
    if (this.#full.textContent !== full) this.#full.textContent = full;
    this.#full.hidden = !full;
    const at = history.items.map((sample) => Date.parse(sample.at));
    for (const { name, plot } of this.#plots) {
      plot.show(
        history.items.map((sample, place) => ({ at: at[place], value: sample[name] })),
        history.step_seconds,
      );
    }
  }

  /** @param {ChecksView} checks */
  #showChecks(checks) {
    const items = checks.items.toSorted((a, b) => GRAVEST.indexOf(a.level) - GRAVEST.indexOf(b.level));
    const words = summary(items);
    // Read out only where it has changed; the time beside it changes all the time.
    if (this.#state.dataset.words !== words) {
      this.#state.dataset.words = words;
      fill(this.#state, words);
    }
    fill(
      this.#checks,
      items.map((item) =>
        h(
          'li',
          {},
          h(
            'span',
            { class: `badge ${called(TONES, item.level) ?? 'soft'}` },
            called(own.levels, item.level) ?? item.level,
          ),
          h(
            'div',
            {},
            h('strong', {}, item.name),
            h('p', {}, item.detail),
            item.advice && h('p', { class: 'advice' }, item.advice),
          ),
        ),
      ),
      h('li', { class: 'hint' }, own.checkedAt, ' ', time(checks.at)),
    );
  }
}

/** When the disk will be full, in words. @param {number} milliseconds */
export function fullIn(milliseconds) {
  return milliseconds < 60_000 ? own.full : own.fullIn(stretch(milliseconds / 1000));
}

/**
 * How many checks came out in which way, the gravest first: 1 failed, 2 unknown, 14 OK.
 *
 * @param {ChecksView['items']} items
 */
export function summary(items) {
  const levels = /** @type {(keyof typeof own.counts)[]} */ (GRAVEST);
  const many = levels.map((level) => [level, items.filter((item) => item.level === level).length]);
  const told = /** @type {[keyof typeof own.counts, number][]} */ (many).filter(([, count]) => count);
  return `${told.map(([level, count]) => own.counts[level](count)).join(', ')}.`;
}
