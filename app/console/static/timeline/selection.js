// The part of the buffer that is chosen. Instants are ms since 1970.

export const LEAST_MS = 200;

/** @typedef {'start' | 'end'} Edge */

/**
 * [start, end) of the wall clock. Tells `change`.
 *
 * `made`: somebody chose it, rather than the page as it opened. `open`: it reaches to the moment of
 * the capture, whatever is there then.
 */
export class Selection extends EventTarget {
  /**
   * `most` is the longest that can be captured, in ms.
   *
   * @param {() => {oldest: number, newest: number}} extent
   * @param {number} most
   */
  constructor(extent, most) {
    super();
    this.extent = extent;
    this.most = most;
    this.made = false;
    this.open = false;
    this.named = ''; // by the marker that it was chosen around
    /** @type {Edge | null} */
    this.moved = null; // if that alone was moved last
    const [start, end] = this.#fitted(extent().newest - 30_000, extent().newest);
    this.start = start;
    this.end = end;
  }

  get length() {
    return this.end - this.start;
  }

  /**
   * Chooses what of [start, end) is there; if that is too long, the newest of it.
   *
   * @param {number} start
   * @param {number} end
   */
  choose(start, end, { open = false, named = '' } = {}) {
    this.named = named;
    this.#become(...this.#fitted(start, end), open, null);
  }

  /**
   * The other end stays; it gives no more than the longest length, and no less than the least.
   *
   * @param {number} instant
   */
  moveStart(instant) {
    const least = Math.max(this.#oldest(), this.end - this.most);
    this.#become(Math.max(least, Math.min(instant, this.end - LEAST_MS)), this.end, this.open, 'start');
  }

  /** @param {number} instant */
  moveEnd(instant) {
    const most = Math.min(this.extent().newest, this.start + this.most);
    this.#become(this.start, Math.min(most, Math.max(instant, this.start + LEAST_MS)), false, 'end');
  }

  /** Moves all of it, as far as there is something. @param {number} start */
  moveTo(start) {
    const { newest } = this.extent();
    const begin = Math.max(this.#oldest(), Math.min(start, newest - this.length));
    this.#become(begin, begin + this.length, false, null);
  }

  // What was chosen stays chosen while it is cleaned up, so that nothing moves.
  #oldest() {
    return Math.min(this.extent().oldest, this.start);
  }

  /**
   * @param {number} start
   * @param {number} end
   * @returns {[number, number]}
   */
  #fitted(start, end) {
    const { oldest, newest } = this.extent();
    const last = Math.min(Math.max(end, oldest + LEAST_MS), newest);
    const first = Math.max(oldest, Math.min(start, last - LEAST_MS), last - this.most);
    return [Math.round(first), Math.round(last)];
  }

  /**
   * @param {number} start
   * @param {number} end
   * @param {boolean} open
   * @param {Edge | null} moved
   */
  #become(start, end, open, moved) {
    this.made = true;
    const [from, to] = [Math.round(start), Math.round(end)];
    if (from === this.start && to === this.end && open === this.open) return;
    Object.assign(this, { start: from, end: to, open, moved });
    this.dispatchEvent(new Event('change'));
  }
}
