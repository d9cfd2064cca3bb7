// Which part of the wall clock the timeline shows. Instants are ms since 1970.

const LEAST = 4_000; // what can be zoomed into
const AT_FIRST = 30_000; // what is shown of a buffer that has hardly begun
const MARGIN = 0.02; // of the width, beyond the newest moment
const STEPS = [500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000];
const LONGEST_STEP = 600_000;

/**
 * What there is of a buffer; what lies before `recent` was marked.
 * @typedef {{oldest: number, recent: number, newest: number}} Extent
 */

/**
 * [from, to) of the wall clock. Tells `change`.
 *
 * It follows the newest moment while `following`, unless somebody holds it: their pointer or their
 * focus is in the timeline, and what is under their hands must not move.
 */
export class Axis extends EventTarget {
  #held = false;
  #whole = true; // all that is recent is shown, however much that is

  /**
   * `extent` is of the buffer, or of a clip; what lies before `recent` is zoomed out to. `least` is what
   * is shown at first of one that is shorter, `margin` the part of the width beyond the newest moment;
   * ticks are counted from `zero`, default: back from the newest moment.
   *
   * @param {() => Extent} extent
   * @param {{least?: number, margin?: number, zero?: number | null}} options
   */
  constructor(extent, { least = AT_FIRST, margin = MARGIN, zero = null } = {}) {
    super();
    this.extent = extent;
    this.least = least;
    this.margin = margin;
    this.zero = zero;
    this.following = true;
    this.now = extent().newest; // what ticks are counted back from: it stands while somebody holds the axis
    const [from, to] = this.#all();
    this.from = from;
    this.to = to;
  }

  get length() {
    return this.to - this.from;
  }

  /**
   * Where an instant stands, 0 to 1 of the width; outside of it if it is not shown.
   *
   * @param {number} instant
   */
  place(instant) {
    return (instant - this.from) / this.length;
  }

  /** @param {number} place */
  instant(place) {
    return this.from + place * this.length;
  }

  /** @param {number} instant */
  shows(instant) {
    return instant >= this.from && instant <= this.to;
  }

  /** Called when the buffer has changed. */
  keepUp() {
    if (this.#held) return;
    this.now = this.extent().newest;
    if (!this.following) return;
    if (this.#whole) return this.#show(...this.#all());
    const to = this.#end(this.length);
    this.#show(to - this.length, to);
  }

  /** @param {boolean} held */
  hold(held) {
    this.#held = held;
    this.keepUp();
  }

  /** @param {boolean} following */
  follow(following) {
    this.following = following;
    if (following) {
      const to = this.#end(this.length);
      if (!this.#whole) this.#show(to - this.length, to);
      else this.#show(...this.#all());
    }
    this.dispatchEvent(new Event('change'));
  }

  showAll() {
    this.#whole = true;
    this.#show(...this.#all());
  }

  /**
   * Shows [start, end) with some room on both sides.
   *
   * @param {number} start
   * @param {number} end
   */
  showPart(start, end) {
    const room = Math.max((end - start) * 0.15, (LEAST - (end - start)) / 2);
    this.#part(start - room, end + room);
  }

  /** `factor` below 1 shows less; the instant `around` stays where it is. @param {number} factor */
  zoom(factor, around = (this.from + this.to) / 2) {
    const length = Math.max(this.length * factor, LEAST);
    const from = around - this.place(around) * length;
    this.#part(from, from + length);
  }

  /** Moves by a part of the width. @param {number} part */
  pan(part) {
    const by = part * this.length;
    this.#part(this.from + by, this.to + by);
  }

  /** Brings an instant into sight, if it is not. @param {number} instant */
  reveal(instant) {
    if (this.shows(instant)) return;
    const by = instant < this.from ? instant - this.from : instant - this.to;
    const room = Math.sign(by) * 0.1 * this.length;
    this.#part(this.from + by + room, this.to + by + room);
  }

  /**
   * The instants to write at, with about `count` of them: round stretches before `now`, or from `zero`.
   *
   * @param {number} count
   */
  ticks(count) {
    const step = STEPS.find((one) => this.length / one <= count) ?? LONGEST_STEP;
    const found = [];
    const base = this.zero ?? this.now;
    const first = base - Math.floor((base - this.from) / step) * step;
    for (let at = first; at <= Math.min(this.to, this.now); at += step) found.push(at);
    return found;
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  #part(from, to) {
    const [first, last] = this.#limits();
    const length = Math.min(to - from, last - first);
    const begin = Math.max(first, Math.min(from, last - length));
    const [recent, end] = this.#all();
    this.#whole = begin <= recent && begin + length >= end && recent === first;
    this.#show(begin, begin + length);
  }

  /** @returns {[number, number]} */
  #all() {
    const { recent, newest } = this.extent();
    const length = Math.max(newest - recent, this.least) / (1 - this.margin);
    return [newest + this.margin * length - length, newest + this.margin * length];
  }

  #limits() {
    const [first, last] = this.#all();
    return [Math.min(first, this.extent().oldest), last];
  }

  /** @param {number} length */
  #end(length) {
    return this.extent().newest + this.margin * length;
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  #show(from, to) {
    if (from === this.from && to === this.to) return;
    [this.from, this.to] = [from, to];
    this.dispatchEvent(new Event('change'));
  }
}
