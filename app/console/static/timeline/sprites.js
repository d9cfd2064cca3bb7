// The buffer's small pictures: which part of which sprite sheet shows an instant.

import { cuesOf } from '../pictures.js';
import { Gathered, windowOf } from './gathered.js';

/**
 * @import { Cue } from '../pictures.js'
 * @import { WatchedBuffer } from './watched.js'
 * @typedef {Cue & {sheetWidth: number, sheetHeight: number}} Sprite on the wall clock
 */

/**
 * The pictures of a WatchedBuffer.
 *
 * What came since the last look is asked for alone, so that a sheet is drawn, and loaded, once.
 *
 * @extends {Gathered<Sprite>}
 */
export class Sprites extends Gathered {
  /**
   * @param {WatchedBuffer} buffer
   * @param {number} most the longest stretch that can be asked for at once, in ms
   */
  constructor(buffer, most) {
    super(buffer, most, (from, to) => picturesOf(buffer, from, to));
  }

  /** The picture of an instant, if any. @param {number} instant */
  at(instant) {
    const piece = this.pieces.find(({ start, end }) => start <= instant && instant < end);
    return piece?.parts.find((cue) => cue.start <= instant && instant < cue.end) ?? null;
  }
}

/**
 * @param {WatchedBuffer} buffer
 * @param {number} from
 * @param {number} to
 */
async function picturesOf(buffer, from, to) {
  const path = `/buffers/${encodeURIComponent(buffer.id)}/thumbnails.vtt`;
  const answer = await buffer.api.answer(path, windowOf(from, to));
  const cues = parse(await answer.text(), answer.url);
  return cues.length && (await loads(cues[0].url)) ? cues : null;
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
