// A handle of the selection: a slider for keyboards and screen readers, dragged by gestures.js.

import { h, set } from '../dom.js';

/**
 * @import { Edge } from './selection.js'
 * @import { Strip } from './track.js'
 */

/** @type {Record<string, number>} */
const KEYS = {
  ArrowLeft: -1_000,
  ArrowDown: -1_000,
  ArrowRight: 1_000,
  ArrowUp: 1_000,
  PageDown: -60_000,
  PageUp: 60_000,
};
const FAST = 10; // times as far with Shift

/**
 * {element, tell()}: the handle at an edge of desk's selection; `move(instant)` moves it.
 *
 * @param {Strip} desk
 * @param {Edge} edge
 * @param {string} label
 * @param {(instant: number) => void} move
 */
export function handle(desk, edge, label, move) {
  const { selection, buffer, axis, player, words } = desk;
  const grip = h('span', { class: 'grip' });
  const element = h(
    'div',
    {
      class: `handle ${edge}`,
      role: 'slider',
      tabindex: 0,
      'aria-label': label,
      'aria-orientation': 'horizontal',
      'data-edge': edge,
      onkeydown: press,
    },
    grip,
  );

  /** @param {KeyboardEvent} event */
  function press(event) {
    const by = distance(event);
    if (by === null || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    move(selection[edge] + by);
    axis.reveal(selection[edge]);
  }

  /** @param {KeyboardEvent} event */
  function distance(event) {
    const { oldest, newest } = buffer.extent;
    if (event.key === 'Home') return oldest - selection[edge];
    if (event.key === 'End') return newest - selection[edge];
    if (event.key === ',') return -player.stepper.seconds * 1000;
    if (event.key === '.') return player.stepper.seconds * 1000;
    if (!(event.key in KEYS)) return null;
    return KEYS[event.key] * (event.shiftKey ? FAST : 1);
  }

  /** Tells assistive technology where it is. */
  const tell = () => {
    const { oldest, newest } = buffer.extent;
    const least = Math.min(oldest, selection.start);
    const seconds = (/** @type {number} */ instant) => String(Math.round((instant - least) / 100) / 10);
    set(element, {
      'aria-valuemin': '0',
      'aria-valuemax': seconds(newest),
      'aria-valuenow': seconds(selection[edge]),
      'aria-valuetext': words.at(selection[edge]),
    });
  };
  tell();
  return { element, tell };
}
