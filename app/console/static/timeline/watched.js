// One buffer, read again as it changes.

import { Problem } from '../api.js';

const AT_MOST_MS = 2_000; // between two looks
const REMEMBERED_MS = 30 * 60_000;
const LEAST_MS = 100; // what clocks are corrected by is not worth a word

/**
 * @import { Api } from '../api.js'
 * @import { LiveBuffers } from '../live.js'
 * @import { BufferDetail, GapView, MarkerView, SpanView } from '../../types.js'
 * @import { Extent } from './axis.js'
 * @import { Stretch } from './film_clock.js'
 * @typedef {Omit<SpanView, 'start' | 'end'> & Stretch} Span
 * @typedef {Omit<GapView, 'start' | 'end'> & Stretch} Gap
 * @typedef {Omit<MarkerView, 'at'> & {at: number}} Marker
 */

/**
 * A buffer as GET /buffers/{id} tells it (`told`), its times as ms since 1970.
 *
 * Tells `change` when it was read again, and `gone` when it is not there, or not the viewer's, any
 * more. `forgotten` is what was there while the page was open and has been cleaned up since.
 */
export class WatchedBuffer extends EventTarget {
  /** @type {number | undefined} */
  #timer;
  #readAt = Date.now();
  #closed = false;
  /** @type {Span[]} */
  spans = [];
  /** @type {Gap[]} */
  gaps = [];
  /** @type {Marker[]} */
  markers = [];
  /** @type {Stretch[]} */
  forgotten = [];
  lost = false;

  /**
   * @param {Api} api
   * @param {LiveBuffers} live
   * @param {BufferDetail} told
   */
  constructor(api, live, told) {
    super();
    this.api = api;
    this.live = live;
    this.id = told.id;
    this.told = told;
    this.heard = (/** @type {Event} */ event) => {
      const { detail } = /** @type {CustomEvent<string | null>} */ (event);
      if (detail === null || detail === this.id) this.lookSoon();
    };
    this.#take(told);
  }

  /**
   * Throws Problem if it can't be seen.
   *
   * @param {Api} api
   * @param {LiveBuffers} live
   * @param {string} id
   */
  static async opened(api, live, id) {
    const buffer = new WatchedBuffer(api, live, await api.get(pathOf(id)));
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

  /** What there is at all: before `recent` only what was marked. @returns {Extent} */
  get extent() {
    const now = this.api.now();
    const recent = Date.parse(this.told.oldest ?? '') || now;
    return { oldest: this.spans[0]?.start ?? now, recent, newest: this.spans.at(-1)?.end ?? now };
  }

  /**
   * How much of [start, end) was there, and has been cleaned up while the page was open, in ms.
   *
   * @param {Stretch} stretch
   */
  lostOf({ start, end }) {
    const parts = this.forgotten.map((part) => Math.min(part.end, end) - Math.max(part.start, start));
    return parts.reduce((sum, part) => sum + Math.max(0, part), 0);
  }

  /** The gap that an instant lies in. @param {number} instant */
  gapAt(instant) {
    return this.gaps.find((gap) => gap.start <= instant && instant < gap.end);
  }

  /** Reads it again, though not more often than it makes sense. */
  lookSoon() {
    if (this.#timer !== undefined || this.#closed) return;
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
      this.#timer = undefined;
    }
    if (!this.#closed) this.dispatchEvent(new Event('change'));
  }

  async #read() {
    this.#readAt = Date.now();
    this.#take(await this.api.get(pathOf(this.id)));
  }

  /** @param {BufferDetail} told */
  #take(told) {
    const before = this.spans;
    this.told = told;
    this.spans = told.spans.map(timed);
    this.gaps = told.gaps.map(timed);
    this.markers = told.markers.map((marker) => ({ ...marker, at: Date.parse(marker.at) }));
    this.#remember(before);
  }

  /** @param {Stretch[]} before */
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

/** @param {string} id */
const pathOf = (id) => `/buffers/${encodeURIComponent(id)}`;

/**
 * What of a stretch the others, in order of time, don't cover.
 *
 * @param {Stretch} part
 * @param {Stretch[]} others
 */
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

/**
 * @template {{start: string, end: string}} Part
 * @param {Part} part
 */
const timed = (part) => ({ ...part, start: Date.parse(part.start), end: Date.parse(part.end) });
