// Pages of clips, one after another, as far as somebody looks.

import { called } from '../texts.js';
import { nameOf } from './words.js';

/**
 * @import { ClipPage, ClipView } from '../../types.js'
 * @import { Api, Query } from '../api.js'
 */

const PER_PAGE = 48;
const AT_MOST = 200; // of the service
const SORTED_AT_MOST = 1000;

/** Newest first, as the service gives them. */
export class Pages {
  #api;
  #query;
  /** @type {string | null} */
  #next = null;
  ended = false;
  /** @type {number | null} */
  limitedTo = null;

  /**
   * `query`: what of GET /clips is wanted.
   *
   * @param {Pick<Api, 'get'>} api
   * @param {Query} query
   */
  constructor(api, query) {
    this.#api = api;
    this.#query = query;
  }

  /**
   * The clips that follow, `count` or more, and one at least, as far as there are: a page may hold
   * few, or none, where a title is looked for.
   *
   * @param {AbortSignal} signal
   */
  async more(signal, count = 0) {
    /** @type {ClipView[]} */
    const found = [];
    do {
      const limit = Math.min(Math.max(PER_PAGE, count - found.length), AT_MOST);
      /** @type {ClipPage} */
      const page = await this.#api.get('/clips', { ...this.#query, limit, next: this.#next }, { signal });
      found.push(...page.items);
      this.#next = page.next;
      this.ended = page.next === null;
    } while (!this.ended && found.length < Math.max(count, 1));
    return found;
  }
}

/** @type {Record<string, (a: ClipView, b: ClipView) => number>} */
const ORDERS = {
  oldest: (a, b) => a.created_at.localeCompare(b.created_at),
  largest: (a, b) => b.size_bytes - a.size_bytes,
  title: (a, b) => nameOf(a).localeCompare(nameOf(b), undefined, { numeric: true }),
};

/** In another order: of the newest clips, at most SORTED_AT_MOST, which are all asked for first. */
export class SortedPages {
  #pages;
  #order;
  /** @type {ClipView[] | null} */
  #rest = null;
  ended = false;
  /** @type {number | null} */
  limitedTo = null;

  /**
   * @param {Pages} pages
   * @param {string} order
   */
  constructor(pages, order) {
    this.#pages = pages;
    this.#order = called(ORDERS, order) ?? (() => 0);
  }

  /** @param {AbortSignal} signal */
  async more(signal, count = 0) {
    this.#rest ??= await this.#all(signal);
    const found = this.#rest.splice(0, Math.max(count, PER_PAGE));
    this.ended = this.#rest.length === 0;
    return found;
  }

  /** @param {AbortSignal} signal */
  async #all(signal) {
    const all = (await this.#pages.more(signal, SORTED_AT_MOST)).sort(this.#order);
    if (!this.#pages.ended) this.limitedTo = all.length;
    return all;
  }
}
