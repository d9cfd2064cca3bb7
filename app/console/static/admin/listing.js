// A list that the service gives page by page, as a table that goes on at a button.

import { fill, h } from '../dom.js';
import { inWords } from '../telling.js';
import { texts } from '../texts.js';
import { row, table } from './table.js';

const own = texts.admin.listing;

/**
 * `ask(next, signal)` gives a page {items, next}, `key(item)` names an item, `cells(item)` shows it.
 * `load()` begins anew, `put(item)` shows an item as it is now, `drop(key)` takes it away.
 */
export class Listing {
  #options;
  #next = null;
  #rows = new Map();
  #loading = new AbortController();
  #table;
  #state = h('p', { class: 'note', role: 'status' });
  #more = h('button', { hidden: true, onclick: () => void this.#append(false) }, own.more);
  #instead = h('div', {});

  constructor({ name, columns, ...options }) {
    this.#options = options;
    this.#table = table(name, columns);
    const foot = h('div', { class: 'foot' }, this.#more);
    this.element = h('div', { class: 'listing' }, this.#state, this.#table.element, this.#instead, foot);
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

  put(item) {
    const key = this.#options.key(item);
    const made = row(this.#table, this.#options.cells(item));
    const before = this.#rows.get(key);
    this.#rows.set(key, made);
    if (!before) return (this.#table.body.append(made), this.#told());
    const place = [...before.querySelectorAll('button, a')].indexOf(document.activeElement);
    before.replaceWith(made);
    if (place >= 0) made.querySelectorAll('button, a')[place]?.focus();
  }

  drop(key) {
    const gone = this.#rows.get(key);
    const next = gone?.nextElementSibling ?? gone?.previousElementSibling;
    gone?.remove();
    this.#rows.delete(key);
    next?.querySelector('button, a')?.focus();
    this.#told();
  }

  async #append(first) {
    const { signal } = this.#loading;
    this.#more.disabled = true;
    if (!this.#rows.size) this.#state.textContent = own.loading;
    try {
      const page = await this.#options.ask(this.#next, signal);
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
      if (!first) made[0]?.querySelector('button, a')?.focus();
    } catch (error) {
      if (error.name === 'AbortError') return;
      this.#state.textContent = '';
      const again = h('button', { onclick: () => void this.#append(first) }, own.again);
      fill(this.#instead, h('div', { class: 'empty' }, h('p', { role: 'alert' }, inWords(error)), again));
    }
    this.#more.disabled = false;
  }

  #told() {
    const count = this.#rows.size;
    this.#state.textContent = count ? own.count(count, this.#next === null) : '';
    this.#table.element.hidden = count === 0;
    this.#more.hidden = this.#next === null;
    fill(this.#instead, count ? null : h('p', { class: 'empty' }, this.#options.empty));
  }
}

/** A search field; `onSearch(text)` is called when one has stopped typing. */
export function searchField(label, onSearch) {
  let timer;
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
