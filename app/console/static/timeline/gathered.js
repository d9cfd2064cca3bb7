// What is asked of a buffer piece by piece, as it grows: its pictures, its sound.

import { Problem } from '../api.js';
import { without } from './watched.js';

/**
 * @import { Extent } from './axis.js'
 * @import { Stretch } from './film_clock.js'
 * @import { WatchedBuffer } from './watched.js'
 */

const WORTH_MS = 1_000; // of media: less is asked for together with what comes
const AT_MOST_MS = 10_000; // between two looks for more

/**
 * What is known of a WatchedBuffer, each piece of it asked for once. Tells `change` when there is more.
 *
 * @template Part
 */
export class Gathered extends EventTarget {
  /** @type {(Stretch & {parts: Part[]})[]} */
  pieces = [];
  #askedAt = 0;
  #asking = false;

  /**
   * @param {WatchedBuffer} buffer
   * @param {number} most the longest stretch that can be asked for at once, in ms
   * @param {(from: number, to: number) => Promise<Part[] | null>} ask null: nothing yet, it is asked again
   */
  constructor(buffer, most, ask) {
    super();
    this.buffer = buffer;
    this.most = most;
    this.ask = ask;
  }

  /** Asks for what is not there yet. */
  async keepUp() {
    const missing = missingPieces(this.buffer, this.pieces, this.most);
    const wait = this.#askedAt + AT_MOST_MS - Date.now();
    if (this.#asking || wait > 0 || !missing.length || document.hidden) return;
    this.#asking = true;
    this.#askedAt = Date.now();
    try {
      for (const { start, end } of missing) await this.#tryToAsk(start, end);
    } finally {
      this.#asking = false;
    }
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  async #tryToAsk(from, to) {
    try {
      await this.#take(from, to);
    } catch (error) {
      // The timeline does without it: it is asked for again with the next segment.
      if (!(error instanceof Problem)) throw error;
    }
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  async #take(from, to) {
    const parts = await this.ask(from, to);
    if (!parts) return;
    const { oldest } = this.buffer.extent;
    this.pieces = this.pieces.filter((piece) => piece.end > oldest);
    this.pieces.push({ start: from, end: to, parts });
    this.dispatchEvent(new Event('change'));
  }
}

/**
 * What of a buffer is not known yet, newest first: [{start, end}], each `most` ms long at most. What
 * lies before `recent` was marked: each stretch of it stands alone, maybe hours apart.
 *
 * @param {{spans: Stretch[], extent: Pick<Extent, 'recent' | 'newest'>}} buffer
 * @param {Stretch[]} pieces
 * @param {number} most
 */
export function missingPieces({ spans, extent: { recent, newest } }, pieces, most) {
  const marked = spans
    .map(({ start, end }) => ({ start, end: Math.min(end, recent) }))
    .filter(({ start, end }) => start < end);
  const known = pieces.toSorted((a, b) => a.start - b.start);
  return [...marked, { start: recent, end: newest }]
    .flatMap((part) => without(part, known))
    .filter(({ start, end }) => end - start >= WORTH_MS)
    .flatMap((part) => inPieces(part, most))
    .reverse();
}

/**
 * @param {Stretch} part
 * @param {number} most
 */
function inPieces({ start, end }, most) {
  const pieces = [];
  for (let from = start; from < end; from += most) pieces.push({ start: from, end: Math.min(from + most, end) });
  return pieces;
}

/**
 * The query of a window of a buffer.
 *
 * @param {number} from
 * @param {number} to
 */
export const windowOf = (from, to) => ({ start: new Date(from).toISOString(), end: new Date(to).toISOString() });
