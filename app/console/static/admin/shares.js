// The shares that there are now: what is recorded, what waits or is refused and why, with stop.

import { resume, rights, stop, stopWords } from '../buffers/acting.js';
import { stateOf } from '../buffers/words.js';
import { fill, h, inNextFrame } from '../dom.js';
import { length, time, clock } from '../times.js';
import { called, texts } from '../texts.js';
import { row, table } from '../lists/table.js';

/**
 * @import { BufferView } from '../../types.js'
 * @import { Api } from '../api.js'
 * @import { Child } from '../dom.js'
 * @import { LiveBuffers } from '../live.js'
 * @import { Page } from '../main.js'
 * @import { Session } from '../session.js'
 */

const own = texts.admin.shares;
const STATES = ['recording', 'starting', 'waiting', 'lagging', 'stalled', 'refused', 'ended'];

/** @param {Page} page */
export function open({ session, api, live, query }) {
  const view = new Shares(session, api, live, query.get('state') ?? '');
  return { element: view.element, close: () => view.close() };
}

class Shares {
  /** @type {Map<string, {element: HTMLElement, shown: (string | null)[]}>} */
  #rows = new Map(); // by the buffer's id; what each cell shows, by its sign
  #ending = new AbortController();
  #table = table(own.title, own.columns);
  #state = h('p', { class: 'note', role: 'status' });
  #instead = h('p', { class: 'empty', hidden: true });

  /**
   * @param {Session} session
   * @param {Api} api
   * @param {LiveBuffers} live
   * @param {string} state
   */
  constructor(session, api, live, state) {
    this.session = session;
    this.api = api;
    this.live = live;
    this.filter = h('select', { onchange: () => this.#filtered() }, [
      h('option', { value: '' }, own.all),
      STATES.map((each) =>
        h('option', { value: each, selected: each === state }, called(texts.buffers.states, each)),
      ),
    ]);
    this.element = h(
      'section',
      {},
      h(
        'div',
        { class: 'row top' },
        h('h1', {}, own.title),
        h('label', { class: 'search' }, h('span', {}, own.filter), this.filter),
      ),
      this.#state,
      this.#table.element,
      this.#instead,
    );
    const { signal } = this.#ending;
    const update = inNextFrame(() => void (signal.aborted || this.#update()));
    live.addEventListener('change', update, { signal });
    live.addEventListener('state', update, { signal });
    this.#update();
  }

  close() {
    this.#ending.abort();
  }

  #filtered() {
    const { value } = this.filter;
    history.replaceState(history.state, '', value ? `#/admin/shares?state=${value}` : '#/admin/shares');
    this.#update();
  }

  #update() {
    const fitting = this.live.all.filter((each) => !this.filter.value || each.state === this.filter.value);
    const ids = new Set(fitting.map((each) => each.id));
    for (const [id, known] of this.#rows) {
      if (ids.has(id)) continue;
      known.element.remove();
      this.#rows.delete(id);
    }
    for (const [place, buffer] of fitting.entries()) {
      const element = this.#shown(buffer);
      const there = this.#table.body.children[place];
      if (there !== element) this.#table.body.insertBefore(element, there ?? null);
    }
    const recording = this.live.all.filter((each) => each.state === 'recording').length;
    const words = own.count(this.live.all.length, recording);
    if (this.#state.textContent !== words) this.#state.textContent = words;
    this.#table.element.hidden = fitting.length === 0;
    this.#instead.hidden = fitting.length > 0;
    this.#instead.textContent = this.live.known
      ? this.live.all.length
        ? own.nothingFits
        : own.nothing
      : texts.listing.loading;
  }

  /**
   * The row of a buffer, of which only those cells are made anew that have changed.
   *
   * @param {BufferView} buffer
   */
  #shown(buffer) {
    let known = this.#rows.get(buffer.id);
    if (!known) {
      known = { element: row(this.#table, []), shown: [] };
      this.#rows.set(buffer.id, known);
    }
    for (const [place, [sign, make]] of this.#cells(buffer).entries()) {
      if (known.shown[place] === sign) continue;
      known.shown[place] = sign;
      const cell = known.element.children[place];
      const had = cell.contains(document.activeElement);
      fill(cell, make());
      /** @type {HTMLElement | null} */
      const control = cell.querySelector('button, a');
      if (had) control?.focus();
    }
    return known.element;
  }

  /**
   * Of each cell what its look depends on, and the function that makes it.
   *
   * @param {BufferView} buffer
   * @returns {[string, () => Child][]}
   */
  #cells(buffer) {
    const { badge, tone, says, reason, todo } = stateOf(buffer, this.session.facts.identity, this.session.api.now());
    const may = rights(this.session, buffer, this.session.api.now());
    const { label, of } = stopWords(buffer, may);
    const kept = length(buffer.media_seconds);
    const newest = buffer.newest && clock(buffer.newest);
    return [
      [
        buffer.sharer,
        () => h('a', { href: `#/buffers/${encodeURIComponent(buffer.id)}` }, buffer.sharer),
      ],
      [buffer.room, () => buffer.room],
      [
        [badge, says, reason, todo].join(),
        () => [
          h('span', { class: `badge ${tone}` }, badge),
          says && h('p', { class: 'why' }, says, ' ', h('span', { class: 'hint' }, todo)),
          reason && h('p', { class: 'why', dir: 'auto' }, reason),
        ],
      ],
      [
        `${kept} ${newest}`,
        () => (newest ? [kept, h('span', { class: 'hint' }, ` ${own.upTo(newest)}`)] : kept),
      ],
      [buffer.started_at, () => time(buffer.started_at)],
      [
        `${may.stop} ${may.resume} ${label}`,
        () => [
          may.stop &&
            h(
              'button',
              {
                class: 'danger',
                'aria-label': of(buffer.sharer),
                onclick: () => void stop(this.session, buffer),
              },
              label,
            ),
          may.resume &&
            h(
              'button',
              { 'aria-label': of(buffer.sharer), onclick: () => void resume(this.api, buffer) },
              label,
            ),
        ],
      ],
    ];
  }
}
