// The newest picture of each card that is on the screen, loaded anew when there is a newer one.

import { h } from '../dom.js';

const EVERY_MS = 4_000;
const AFTER_ERROR_MS = 15_000;
const AT_ONCE = 3;

export class Posters {
  #loading = 0;
  #asked = new WeakMap(); // of a card: {newest, until} of what it shows or asks for

  constructor(api) {
    this.api = api;
  }

  /** Loads what is due. To be called again and again. */
  keepUp(cards) {
    const now = Date.now();
    for (const card of cards) {
      if (this.#loading >= AT_ONCE) return;
      const { poster, newest } = card.buffer;
      const asked = this.#asked.get(card);
      if (!card.isVisible || !poster || !newest || asked?.newest === newest || asked?.until > now) continue;
      this.#asked.set(card, { newest, until: now + EVERY_MS });
      void this.#load(card, poster);
    }
  }

  async #load(card, poster) {
    this.#loading++;
    try {
      const image = h('img', { alt: '', src: this.api.url(poster) });
      await image.decode();
      card.show(image);
    } catch (error) {
      if (error.name !== 'EncodingError') throw error;
      // No picture, or none that was reached: the one before stays.
      this.#asked.set(card, { newest: null, until: Date.now() + AFTER_ERROR_MS });
    } finally {
      this.#loading--;
    }
  }
}
