// The picture and the time of the instant under the pointer.

import { h } from '../dom.js';
import { called, texts } from '../texts.js';
import { paint } from './sprites.js';

/** @import { Strip } from './track.js' */

const [WIDTH, HEIGHT] = [176, 99];

/**
 * {element, show(instant | null, x)}: stands above the track, never beyond its edges.
 *
 * @param {Strip} desk
 */
export function hoverCard(desk) {
  const picture = h('div', { class: 'picture' });
  const words = h('div', { class: 'words' });
  const element = h('div', { class: 'hover', hidden: true, 'aria-hidden': 'true' }, picture, words);
  Object.assign(picture.style, { width: `${WIDTH}px`, height: `${HEIGHT}px` });
  /** @type {[number | null, number]} */
  let last = [null, 0];
  /**
   * @param {number | null} instant
   * @param {number} x
   */
  const show = (instant, x = 0) => {
    last = [instant, x];
    element.hidden = instant === null;
    if (instant === null) return;
    const gap = desk.buffer.gapAt(instant);
    const cue = desk.sprites.at(instant);
    picture.hidden = !cue;
    if (cue) paint(picture, cue, WIDTH, HEIGHT);
    const at = desk.words.hover(instant);
    words.textContent = gap ? `${at} · ${called(texts.buffers.gaps, gap.why)}` : at;
    const room = (element.parentElement?.clientWidth ?? 0) - element.offsetWidth;
    element.style.left = `${Math.max(0, Math.min(room, x - element.offsetWidth / 2))}px`;
  };
  // its picture may come while the pointer rests
  desk.sprites.addEventListener('change', () => show(...last));
  return { element, show };
}
