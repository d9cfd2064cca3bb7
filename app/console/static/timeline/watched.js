// One buffer, read again as it changes.

import { Problem } from '../api.js';

const AT_MOST_MS = 2_000; // between two looks
const REMEMBERED_MS = 30 * 60_000;

/**
 * A buffer as GET /buffers/{id} tells it (`told`), its times as ms since 1970.
 *
 * Tells `change` when it was read again, and `gone` when it is not there, or not the viewer's, any
 * more. `forgotten` is what was there while the page was open and has been cleaned up since.
 */
export class WatchedBuffer extends EventTarget {
  #timer = null;
  #readAt = 0;
  #closed = false;

  constructor(api, live, id) {
    super();
    Object.assign(this, { api, live, id, forgotten: [], lost: false });
    this.heard = (event) => {
      if (event.detail === null || event.detail === id) this.lookSoon();
    };
  }

  /** Throws Problem if it can't be seen. */
  static async opened(api, live, id) {
    const buffer = new WatchedBuffer(api, live, id);
    await buffer.#read();
    live.addEventListener('change', buffer.heard);
    return buffer;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.live.removeEventListener('change', this.heard);
  }

  get empty() {
    return !this.spans.length;
  }

  /** Whether media still comes, or may come. */
  get goesOn() {
    return !['ended', 'refused'].includes(this.told.state);
  }

  get extent() {
    const now = this.api.now();
    return { oldest: this.spans[0]?.start ?? now, newest: this.spans.at(-1)?.end ?? now };
  }

  /** The gap that an instant lies in. */
  gapAt(instant) {
    return this.gaps.find((gap) => gap.start <= instant && instant < gap.end);
  }

  /** Reads it again, though not more often than it makes sense. */
  lookSoon() {
    if (this.#timer !== null || this.#closed) return;
    const wait = Math.max(0, this.#readAt + AT_MOST_MS - Date.now());
    this.#timer = setTimeout(() => void this.#look(), wait);
  }

  async #look() {
    try {
      await this.#read();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (this.#closed) return;
      if (error.status === 404) {
        this.lost = true;
        this.dispatchEvent(new Event('gone'));
        return;
      }
      // The service is away, or has too much to do: live.js hears of it when it is back.
    } finally {
      this.#timer = null;
    }
    if (!this.#closed) this.dispatchEvent(new Event('change'));
  }

  async #read() {
    this.#readAt = Date.now();
    const told = await this.api.get(`/buffers/${encodeURIComponent(this.id)}`);
    const before = this.spans ?? [];
    this.told = told;
    this.spans = told.spans.map(timed);
    this.gaps = told.gaps.map(timed);
    this.markers = told.markers.map((marker) => ({ ...marker, at: Date.parse(marker.at) }));
    this.#remember(before);
  }

  #remember(before) {
    const { oldest } = this.extent;
    for (const span of before) {
      if (span.start >= oldest) continue;
      const end = Math.min(span.end, oldest);
      const last = this.forgotten.at(-1);
      if (last && span.start <= last.end + 1) last.end = Math.max(last.end, end);
      else this.forgotten.push({ start: span.start, end });
    }
    this.forgotten = this.forgotten.filter((part) => part.end > oldest - REMEMBERED_MS);
  }
}

const timed = (part) => ({ ...part, start: Date.parse(part.start), end: Date.parse(part.end) });
