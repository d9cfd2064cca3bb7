// Choosing several clips of the grid, to download, open or delete them together.

import { h } from '../dom.js';
import { texts } from '../texts.js';

/**
 * @import { ClipView } from '../../types.js'
 * @import { Tile } from './tile.js'
 */

const own = texts.library.selection;

/**
 * `tiles()` gives the tiles there are; `onMode(on)` is called when choosing begins or ends.
 *
 * @param {{tiles: () => Iterable<Tile>, onDownload: (clips: ClipView[]) => void,
 *   onArchive: (clips: ClipView[]) => void, onAccess: (clips: ClipView[]) => void,
 *   onDelete: (clips: ClipView[]) => void, onMode: (on: boolean) => void}} options
 */
export function selectionOf({ tiles, onDownload, onArchive, onAccess, onDelete, onMode }) {
  const words = h('span', { role: 'status' });
  const clips = () => chosen().map((tile) => tile.clip);
  const download = h('button', { onclick: () => onDownload(clips()) }, own.download);
  const archive = h('button', { onclick: () => onArchive(clips()) }, own.archive);
  const access = h('button', { onclick: () => onAccess(clips()) }, own.access);
  const remove = h('button', { class: 'danger', onclick: () => onDelete(clips()) }, own.delete);
  const all = h('button', { onclick: () => choose(true) }, own.all);
  const done = h('button', { onclick: () => turn(false) }, own.done);
  const element = h(
    'div',
    { class: 'selection card row', role: 'region', 'aria-label': own.name, hidden: true },
    words,
    download,
    archive,
    access,
    remove,
    all,
    done,
  );
  const onclick = () => turn(element.hidden !== false);
  const toggle = h('button', { 'aria-pressed': 'false', onclick }, own.choose);

  const chosen = () => [...tiles()].filter((tile) => tile.selected);

  /** @param {boolean} value */
  function choose(value) {
    for (const tile of tiles()) tile.selected = value;
    update();
  }

  /** @param {boolean} on */
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
    download.disabled = archive.disabled = access.disabled = remove.disabled = count === 0;
  }

  update();
  return { element, toggle, update };
}
