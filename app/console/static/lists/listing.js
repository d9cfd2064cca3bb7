// A list that the service gives page by page, as a table that goes on at a button.

import { isAborted } from '../api.js';
import { fill, h } from '../dom.js';
import { inWords, tell, tellProblem } from '../telling.js';
import { texts } from '../texts.js';
import { csv, save } from './csv.js';
import { row, table } from './table.js';

/**
 * @import { Child } from '../dom.js'
 */

const own = texts.listing;
const SAVED_AT_MOST = 10_000;
const SAVED_PER_PAGE = 200;
const LOOKS = 20;

/**
 * Where a page begins, null at the first one, and how many items it shall have, if it matters.
 * @typedef {{next: string | null, limit?: number}} Place
 */

/**
 * What a list is of: `ask` gives a page of items, `key` names an item, `cells` show it. With `file`, what
 * such a file is called, it can be saved.
 * @template {object} Item
 * @typedef {{
 *   ask: (place: Place, signal: AbortSignal) => Promise<{items: Item[], next: string | null}>,
 *   key: (item: Item) => string, cells: (item: Item) => Child[], empty: string, file?: string}} Options
 */

/**
 * `load()` begins anew, `put(item)` shows an item as it is now, `drop(key)` takes it away.
 *
 * @template {object} Item
 */
export class Listing {
  /** @type {Options<Item>} */
  #options;
  /** @type {string | null} */
  #next = null;
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();
  #loading = new AbortController();
  #table;
  #state = h('p', { class: 'note', role: 'status' });
  #more = h('button', { hidden: true, onclick: () => void this.#append(false) }, own.more);
  #saving = h('button', { hidden: true, onclick: () => void this.#save() }, own.save);
  #instead = h('div', {});

  /** @param {Options<Item> & {name: string, columns: string[]}} options */
  constructor({ name, columns, ...options }) {
    this.#options = options;
    this.#table = table(name, columns);
    const head = h('div', { class: 'row' }, this.#state, options.file && this.#saving);
    const foot = h('div', { class: 'foot' }, this.#more);
    this.element = h('div', { class: 'listing' }, head, this.#table.element, this.#instead, foot);
  }

  close() {
    this.#loading.abort();
  }

  /** What is shown stays until the first page is there. */
  async load() {
    this.#loading.abort();
    this.#loading = new AbortController();
    this.#next = null;
    await this.#append(true);
  }

  /** @param {Item} item */
  put(item) {
    const key = this.#options.key(item);
    const made = row(this.#table, this.#options.cells(item));
    const before = this.#rows.get(key);
    this.#rows.set(key, made);
    if (!before) return (this.#table.body.append(made), this.#told());
    const place = controlsOf(before).findIndex((control) => control === document.activeElement);
    before.replaceWith(made);
    if (place >= 0) controlsOf(made)[place]?.focus();
  }

  /** @param {string} key */
  drop(key) {
    const gone = this.#rows.get(key);
    const next = gone?.nextElementSibling ?? gone?.previousElementSibling;
    gone?.remove();
    this.#rows.delete(key);
    if (next) controlsOf(next)[0]?.focus();
    this.#told();
  }

  /** @param {boolean} first */
  async #append(first) {
    const { signal } = this.#loading;
    this.#more.disabled = true;
    if (!this.#rows.size) this.#state.textContent = own.loading;
    try {
      const page = await this.#ask(signal);
      if (first) this.#rows.clear();
      const made = page.items.map((item) => {
        const each = row(this.#table, this.#options.cells(item));
        this.#rows.set(this.#options.key(item), each);
        return each;
      });
      if (first) fill(this.#table.body, made);
      else this.#table.body.append(...made);
      this.#next = page.next;
      this.#told();
      if (!first && made.length) controlsOf(made[0])[0]?.focus();
    } catch (error) {
      if (isAborted(error)) return;
      this.#state.textContent = '';
      const again = h('button', { onclick: () => void this.#append(first) }, own.again);
      fill(this.#instead, h('div', { class: 'empty' }, h('p', { role: 'alert' }, inWords(error)), again));
    }
    this.#more.disabled = false;
  }

  /** The next page; where some of them hold nothing, the first that does. @param {AbortSignal} signal */
  async #ask(signal) {
    let page = await this.#options.ask({ next: this.#next }, signal);
    for (let looks = 1; looks < LOOKS && !page.items.length && page.next !== null; looks += 1)
      page = await this.#options.ask({ next: page.next }, signal);
    return page;
  }

  /** As a file: all that there is, not only what is shown. */
  async #save() {
    const { signal } = this.#loading;
    this.#saving.disabled = true;
    try {
      /** @type {Item[]} */
      const items = [];
      let next = null;
      do {
        const page = await this.#options.ask({ next, limit: SAVED_PER_PAGE }, signal);
        items.push(...page.items);
        next = page.next;
      } while (next !== null && items.length < SAVED_AT_MOST);
      save(csv(items), `${this.#options.file}.csv`);
      tell(own.saved(items.length, next === null));
    } catch (error) {
      tellProblem(error);
    }
    this.#saving.disabled = false;
  }

  #told() {
    const count = this.#rows.size;
    this.#state.textContent = count ? own.count(count, this.#next === null) : '';
    this.#table.element.hidden = this.#saving.hidden = count === 0;
    this.#more.hidden = this.#next === null;
    const isEmpty = count === 0 && this.#next === null;
    fill(this.#instead, isEmpty ? h('p', { class: 'empty' }, this.#options.empty) : null);
  }
}

/**
 * What of a row takes the focus.
 *
 * @param {Element} within
 * @returns {HTMLElement[]}
 */
const controlsOf = (within) =>
  [...within.querySelectorAll('button, a')].filter((one) => one instanceof HTMLElement);

/**
 * A search field; `onSearch(text)` is called when one has stopped typing.
 *
 * @param {string} label
 * @param {(text: string) => void} onSearch
 */
function searchField(label, onSearch) {
  /** @type {number | undefined} */
  let timer;
  /** @type {HTMLInputElement} */
  const input = h('input', {
    type: 'search',
    maxlength: 512,
    autocomplete: 'off',
    oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(() => onSearch(input.value.trim()), 300);
    },
  });
  return h('label', { class: 'search' }, h('span', {}, label), input);
}

/**
 * What stands above a list: a search field, and who may add something has a button for it.
 *
 * `onSearch(text)` is called before the list is loaded again.
 *
 * @param {{search: string, add: string}} words
 * @param {{load: () => Promise<void>}} listing
 * @param {{onSearch: (text: string) => void, onAdd: (() => void) | false}} on
 */
export function listingHead(words, listing, { onSearch, onAdd }) {
  const searched = searchField(words.search, (text) => {
    onSearch(text);
    void listing.load();
  });
  return h('div', { class: 'row top' }, searched, onAdd && h('button', { onclick: onAdd }, words.add));
}
