// What a dragged end shows at once: the small picture nearest to it, until the film's own is there.

import { h } from '../dom.js';
import { paint } from './sprites.js';

/**
 * @import { Player } from './player.js'
 * @import { Sprites } from './sprites.js'
 */

/**
 * Keeps an element in a Player's screen, as large as its picture.
 *
 * @param {{player: Player, sprites: Sprites}} desk
 */
export function roughPicture({ player, sprites }) {
  const element = h('div', { class: 'rough', hidden: true, 'aria-hidden': 'true' });
  const show = () => {
    const cue = player.scrubbing && !player.sharp ? sprites.at(player.instant) : null;
    element.hidden = !cue;
    if (!cue) return;
    const { clientWidth, clientHeight } = player.element;
    const [width, height] = within(cue.width / cue.height, clientWidth, clientHeight);
    Object.assign(element.style, { width: `${width}px`, height: `${height}px` });
    paint(element, cue, width, height);
  };
  for (const kind of ['time', 'state']) player.addEventListener(kind, show);
  player.element.insertBefore(element, player.says);
}

/**
 * The largest [width, height] of a shape within a place.
 *
 * @param {number} shape width by height
 * @param {number} width
 * @param {number} height
 */
export function within(shape, width, height) {
  return width / height > shape ? [height * shape, height] : [width, width / shape];
}
