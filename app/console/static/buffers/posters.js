// The newest picture of each card that is on the screen, loaded anew when there is a newer one.

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
      const isNew = poster && newest && asked?.newest !== newest;
      if (!card.isVisible || !isNew || asked?.until > now) continue;
      this.#asked.set(card, { newest, until: now + EVERY_MS });
      void this.#load(card, poster, newest);
    }
  }

  // As pixels: a document shows an <img> of a URL that it knows as it was.
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

  /** The picture before stays. */
  #failed(card) {
    this.#asked.set(card, { newest: null, until: Date.now() + AFTER_ERROR_MS });
  }
}
