// Which second of a film is which instant of the wall clock. Pure; instants are ms since 1970.

/**
 * [start, end) of the wall clock.
 * @typedef {{start: number, end: number}} Stretch
 */

/** The clock of the film of a window: what lies between spans is left out of it. */
export class FilmClock {
  /** @type {(Stretch & {at: number})[]} */
  #pieces = []; // from `at` ms of the film on it shows [start, end)

  /**
   * @param {Stretch[]} spans the buffer's, in order of time
   * @param {Stretch} window
   */
  constructor(spans, { start, end }) {
    let at = 0;
    for (const span of spans) {
      const piece = { start: Math.max(span.start, start), end: Math.min(span.end, end), at };
      if (piece.start >= piece.end) continue;
      this.#pieces.push(piece);
      at += piece.end - piece.start;
    }
    this.start = this.#pieces[0]?.start ?? start;
    this.end = this.#pieces.at(-1)?.end ?? end;
    this.seconds = at / 1000;
  }

  /** Whether the film is of this instant, or of a gap between what it shows. @param {number} instant */
  covers(instant) {
    return instant >= this.start && instant <= this.end;
  }

  /** The instant that is shown at a second of the film. @param {number} seconds */
  instant(seconds) {
    const at = Math.max(0, seconds * 1000);
    const piece = this.#pieces.findLast((one) => one.at <= at);
    return piece ? Math.min(piece.start + at - piece.at, piece.end) : this.start;
  }

  /** The second of the film that shows an instant, or what comes next after it. @param {number} instant */
  second(instant) {
    const piece = this.#pieces.find((one) => one.end > instant) ?? this.#pieces.at(-1);
    if (!piece) return 0;
    const within = Math.min(Math.max(instant, piece.start), piece.end) - piece.start;
    return (piece.at + within) / 1000;
  }
}
