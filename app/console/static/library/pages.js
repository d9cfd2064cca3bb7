// Pages of clips, one after another, as far as somebody looks.

/**
 * @import { ClipPage, ClipView } from '../../types.js'
 * @import { Api, Query } from '../api.js'
 */

const PER_PAGE = 48;
const AT_MOST = 200; // of the service

/** In the order that the service gives them in. */
export class Pages {
  #api;
  #query;
  /** @type {string | null} */
  #next = null;
  ended = false;

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
   * few, or none, where the service had to look at each.
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
