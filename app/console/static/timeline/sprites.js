// The buffer's small pictures: which part of which sprite sheet shows an instant.

import { Problem } from '../api.js';
import { cuesOf } from '../pictures.js';
import { without } from './watched.js';

/**
 * @import { Cue } from '../pictures.js'
 * @import { Extent } from './axis.js'
 * @import { Stretch } from './film_clock.js'
 * @import { WatchedBuffer } from './watched.js'
 * @typedef {Cue & {sheetWidth: number, sheetHeight: number}} Sprite on the wall clock
 */

const WORTH_MS = 1_000; // of pictures: less is asked for together with what comes
const AT_MOST_MS = 10_000; // between two looks for new ones: each asks for a sheet of its own

/**
 * The pictures of a WatchedBuffer. Tells `change` when there are more.
 *
 * What came since the last look is asked for alone, so that a sheet is drawn, and loaded, once.
 */
export class Sprites extends EventTarget {
  /** @type {(Stretch & {cues: Sprite[]})[]} */
  #pieces = [];
  #askedAt = 0;
  #asking = false;

  /**
   * @param {WatchedBuffer} buffer
   * @param {number} most the longest stretch that can be asked for at once, in ms
   */
  constructor(buffer, most) {
    super();
    this.buffer = buffer;
    this.most = most;
  }

  /** The picture of an instant, if any. @param {number} instant */
  at(instant) {
    const piece = this.#pieces.find(({ start, end }) => start <= instant && instant < end);
    return piece?.cues.find((cue) => cue.start <= instant && instant < cue.end) ?? null;
  }

  /** Asks for those that are not there yet. */
  async keepUp() {
    const missing = missingPieces(this.buffer, this.#pieces, this.most);
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
      await this.#ask(from, to);
    } catch (error) {
      // The timeline does without them: they are asked for again with the next segment.
      if (!(error instanceof Problem)) throw error;
    }
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  async #ask(from, to) {
    const query = { start: new Date(from).toISOString(), end: new Date(to).toISOString() };
    const path = `/buffers/${encodeURIComponent(this.buffer.id)}/thumbnails.vtt`;
    const answer = await this.buffer.api.answer(path, query);
    const cues = parse(await answer.text(), answer.url);
    // They are asked for again, as those that come are.
    if (!cues.length || !(await loads(cues[0].url))) return;
    const { oldest } = this.buffer.extent;
    this.#pieces = this.#pieces.filter((piece) => piece.end > oldest);
    this.#pieces.push({ start: from, end: to, cues });
    this.dispatchEvent(new Event('change'));
  }
}

/**
 * What of a buffer there are no pictures of yet, newest first: [{start, end}], each `most` ms long at
 * most. What lies before `recent` was marked: each stretch of it stands alone, maybe hours apart.
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
 * The cues of a buffer's index, on the wall clock.
 *
 * @param {string} text
 * @param {string} base
 * @returns {Sprite[]}
 */
export function parse(text, base) {
  return placed(cuesOf(text, base), Date.parse(/^NOTE start (\S+)$/m.exec(text)?.[1] ?? ''));
}

/**
 * Cues with the size of their sheet, their times in ms after `begin`.
 *
 * @param {Cue[]} cues
 * @param {number} begin
 * @returns {Sprite[]}
 */
export function placed(cues, begin) {
  const sheetWidth = Math.max(...cues.map((cue) => cue.x + cue.width));
  const sheetHeight = Math.max(...cues.map((cue) => cue.y + cue.height));
  return cues.map((cue) => ({
    ...cue,
    start: begin + cue.start * 1000,
    end: begin + cue.end * 1000,
    sheetWidth,
    sheetHeight,
  }));
}

/** Whether a sheet is there: it is drawn at low priority, and a busy service says no. @param {string} url */
async function loads(url) {
  const sheet = new Image();
  sheet.src = url;
  return sheet.decode().then(
    () => true,
    () => false,
  );
}

/**
 * Shows a picture in an element of a size in pixels: all of the element is covered by it.
 *
 * @param {HTMLElement} element
 * @param {Sprite} cue
 * @param {number} width
 * @param {number} height
 */
export function paint(element, cue, width, height) {
  const scale = Math.max(width / cue.width, height / cue.height);
  const left = (width - cue.width * scale) / 2 - cue.x * scale;
  const top = (height - cue.height * scale) / 2 - cue.y * scale;
  Object.assign(element.style, {
    backgroundImage: `url("${cue.url}")`,
    backgroundSize: `${cue.sheetWidth * scale}px ${cue.sheetHeight * scale}px`,
    backgroundPosition: `${left}px ${top}px`,
  });
}
