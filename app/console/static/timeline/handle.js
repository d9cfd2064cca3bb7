// A handle of the selection: a slider for keyboards and screen readers, dragged by gestures.js.

import { h, set } from '../dom.js';
import { clockTenths } from '../times.js';

const KEYS = {
  ArrowLeft: -1_000,
  ArrowDown: -1_000,
  ArrowRight: 1_000,
  ArrowUp: 1_000,
  PageDown: -60_000,
  PageUp: 60_000,
};
const FAST = 10; // times as far with Shift

/** The handle at `edge` ('start' or 'end') of desk's selection; `move(instant)` moves it. */
export function handle(desk, edge, label, move) {
  const { selection, buffer, axis, player } = desk;
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

  function press(event) {
    const by = distance(event);
    if (by === null || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    move(selection[edge] + by);
    axis.reveal(selection[edge]);
  }

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
  element.tell = () => {
    const { oldest, newest } = buffer.extent;
    const least = Math.min(oldest, selection.start);
    const seconds = (instant) => String(Math.round((instant - least) / 100) / 10);
    set(element, {
      'aria-valuemin': '0',
      'aria-valuemax': seconds(newest),
      'aria-valuenow': seconds(selection[edge]),
      'aria-valuetext': clockTenths(selection[edge]),
    });
  };
  element.tell();
  return element;
}
