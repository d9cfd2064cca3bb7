// The picture and the time of the instant under the pointer.

import { h } from '../dom.js';
import { clockTenths } from '../times.js';
import { texts } from '../texts.js';
import { paint } from './sprites.js';

const SIZE = [176, 99];

/** {element, show(instant | null, x)}: stands above the track, never beyond its edges. */
export function hoverCard(desk) {
  const picture = h('div', { class: 'picture' });
  const words = h('div', { class: 'words' });
  const element = h('div', { class: 'hover', hidden: true, 'aria-hidden': 'true' }, picture, words);
  [picture.style.width, picture.style.height] = SIZE.map((px) => `${px}px`);
  const show = (instant, x) => {
    element.hidden = instant === null;
    if (instant === null) return;
    const gap = desk.buffer.gapAt(instant);
    const cue = desk.sprites.at(instant);
    picture.hidden = !cue;
    if (cue) paint(picture, cue, ...SIZE);
    words.textContent = gap
      ? `${clockTenths(instant)} · ${texts.buffers.gaps[gap.why]}`
      : clockTenths(instant);
    const room = element.parentElement.clientWidth - element.offsetWidth;
    element.style.left = `${Math.max(0, Math.min(room, x - element.offsetWidth / 2))}px`;
  };
  return { element, show };
}
