// Choosing several clips of the grid, to delete them together.

import { h } from '../dom.js';
import { texts } from '../texts.js';

const own = texts.library.selection;

/** `tiles()` gives the tiles there are; `onDelete(clips)`; `onMode(on)` when choosing begins or ends. */
export function selectionOf({ tiles, onDelete, onMode }) {
  const words = h('span', { role: 'status' });
  const remove = h(
    'button',
    { class: 'danger', onclick: () => onDelete(chosen().map((tile) => tile.clip)) },
    own.delete,
  );
  const all = h('button', { onclick: () => choose(true) }, own.all);
  const done = h('button', { onclick: () => turn(false) }, own.done);
  const element = h(
    'div',
    { class: 'selection card row', role: 'region', 'aria-label': own.name, hidden: true },
    words,
    remove,
    all,
    done,
  );
  const toggle = h('button', { 'aria-pressed': 'false', onclick: () => turn(element.hidden) }, own.choose);

  const chosen = () => [...tiles()].filter((tile) => tile.selected);

  function choose(value) {
    for (const tile of tiles()) tile.selected = value;
    update();
  }

  function turn(on) {
    element.hidden = !on;
    toggle.setAttribute('aria-pressed', String(on));
    onMode(on);
    if (!on) {
      choose(false);
      toggle.focus();
    }
  }

  function update() {
    const count = chosen().length;
    words.textContent = own.count(count);
    remove.disabled = count === 0;
  }

  update();
  return { element, toggle, update };
}
