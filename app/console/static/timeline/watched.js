// One buffer, read again as it changes.

import { Problem } from '../api.js';

const AT_MOST_MS = 2_000; // between two looks
const REMEMBERED_MS = 30 * 60_000;
const LEAST_MS = 100; // what clocks are corrected by is not worth a word

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

  /** What there is at all: before `recent` only what was marked. */
  get extent() {
    const now = this.api.now();
    const recent = Date.parse(this.told.oldest ?? '') || now;
    return { oldest: this.spans[0]?.start ?? now, recent, newest: this.spans.at(-1)?.end ?? now };
  }

  /** How much of [start, end) was there, and has been cleaned up while the page was open, in ms. */
  lostOf({ start, end }) {
    const parts = this.forgotten.map((part) => Math.min(part.end, end) - Math.max(part.start, start));
    return parts.reduce((sum, part) => sum + Math.max(0, part), 0);
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
    const parts = before.flatMap((span) => without(span, this.spans));
    const known = [...this.forgotten, ...parts].sort((a, b) => a.start - b.start);
    const since = this.extent.newest - REMEMBERED_MS;
    this.forgotten = [];
    for (const { start, end } of known) {
      const last = this.forgotten.at(-1);
      if (last && start <= last.end + LEAST_MS) last.end = Math.max(last.end, end);
      else if (end > since) this.forgotten.push({ start, end });
    }
  }
}

/** What of a stretch the others, in order of time, don't cover. */
export function without(part, others) {
  const rest = [];
  let from = part.start;
  for (const other of others) {
    if (other.end <= from || other.start >= part.end) continue;
    rest.push({ start: from, end: other.start });
    from = other.end;
  }
  rest.push({ start: from, end: part.end });
  return rest.filter(({ start, end }) => end - start >= LEAST_MS);
}

const timed = (part) => ({ ...part, start: Date.parse(part.start), end: Date.parse(part.end) });
