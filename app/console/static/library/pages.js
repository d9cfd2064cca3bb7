// Pages of clips, one after another, as far as somebody looks.

import { nameOf } from './words.js';

const PER_PAGE = 48;
const AT_MOST = 200; // of the service
const SORTED_AT_MOST = 1000;

/** Newest first, as the service gives them. */
export class Pages {
  #api;
  #query;
  #next = null;

  /** `query`: what of GET /clips is wanted. */
  constructor(api, query) {
    this.#api = api;
    this.#query = query;
    this.ended = false;
  }

  /**
   * The clips that follow, `count` or more, and one at least, as far as there are: a page may hold
   * few, or none, where a title is looked for.
   */
  async more(signal, count = 0) {
    const found = [];
    do {
      const limit = Math.min(Math.max(PER_PAGE, count - found.length), AT_MOST);
      const page = await this.#api.get('/clips', { ...this.#query, limit, next: this.#next }, { signal });
      found.push(...page.items);
      this.#next = page.next;
      this.ended = page.next === null;
    } while (!this.ended && found.length < Math.max(count, 1));
    return found;
  }
}

const ORDERS = {
  oldest: (a, b) => a.created_at.localeCompare(b.created_at),
  largest: (a, b) => b.size - a.size,
  title: (a, b) => nameOf(a).localeCompare(nameOf(b), undefined, { numeric: true }),
};

/** In another order: of the newest clips, at most SORTED_AT_MOST, which are all asked for first. */
export class SortedPages {
  #pages;
  #order;
  #rest = null;

  constructor(pages, order) {
    this.#pages = pages;
    this.#order = ORDERS[order] ?? (() => 0);
    this.ended = false;
    this.limitedTo = null;
  }

  async more(signal, count = 0) {
    if (!this.#rest) {
      this.#rest = (await this.#pages.more(signal, SORTED_AT_MOST)).sort(this.#order);
      if (!this.#pages.ended) this.limitedTo = this.#rest.length;
    }
    const found = this.#rest.splice(0, Math.max(count, PER_PAGE));
    this.ended = this.#rest.length === 0;
    return found;
  }
}
