// The newest picture of each card that is on the screen, loaded anew when there is a newer one.

/**
 * @import { Api } from '../api.js'
 * @import { Card } from './card.js'
 */

const EVERY_MS = 4_000;
const AFTER_ERROR_MS = 15_000;
const AT_ONCE = 3;

export class Posters {
  #loading = 0;
  /** @type {WeakMap<Card, {newest: string | null, until: number}>} */
  #asked = new WeakMap(); // of a card: what it shows or asks for

  /** @param {Api} api */
  constructor(api) {
    this.api = api;
  }

  /** Loads what is due. To be called again and again. @param {Iterable<Card>} cards */
  keepUp(cards) {
    const now = Date.now();
    for (const card of cards) {
      if (this.#loading >= AT_ONCE) return;
      const { poster_url: poster, newest } = card.buffer;
      const asked = this.#asked.get(card);
      if (!card.isVisible || !poster || !newest || asked?.newest === newest) continue;
      if (asked && asked.until > now) continue;
      this.#asked.set(card, { newest, until: now + EVERY_MS });
      void this.#load(card, poster, newest);
    }
  }

  /**
   * As pixels: a document shows an <img> of a URL that it knows as it was.
   *
   * @param {Card} card
   * @param {string} poster
   * @param {string} newest
   */
  async #load(card, poster, newest) {
    this.#loading++;
    try {
      const answer = await fetch(this.api.url(poster), { cache: 'no-cache' });
      if (answer.ok) card.show(await createImageBitmap(await answer.blob()), newest);
      else this.#failed(card);
    } catch {
      // Not reached, or broken off, or no picture: each has an error of its own kind.
      this.#failed(card);
    } finally {
      this.#loading--;
    }
  }

  /** The picture before stays. @param {Card} card */
  #failed(card) {
    this.#asked.set(card, { newest: null, until: Date.now() + AFTER_ERROR_MS });
  }
}
