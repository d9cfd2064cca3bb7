// Markers: moments to come back to.

import { fill, h } from '../dom.js';
import { icon } from '../icons.js';
import { clockTenths, time } from '../times.js';
import { tell, tellProblem } from '../telling.js';
import { texts } from '../texts.js';

/**
 * @import { MarkerRequest, MarkerView } from '../../types.js'
 * @import { Desk } from './buffer.js'
 * @import { Marker } from './watched.js'
 */

const AROUND_MS = [20_000, 10_000]; // of a cut around a mark: what matters has mostly just happened
const t = texts.timeline.markers;

/** {element, mark(at)}: `at` null is the moment of the press. @param {Desk} desk */
export function markers(desk) {
  const { api, buffer, selection, player, axis } = desk;
  const path = `/buffers/${encodeURIComponent(buffer.id)}/markers`;
  const label = h('input', {
    id: 'marker-label',
    type: 'text',
    maxlength: 200,
    placeholder: t.labelHint,
    autocomplete: 'off',
    dir: 'auto',
  });
  const now = h('button', { type: 'submit', 'aria-keyshortcuts': 'm' }, t.markNow);
  const here = h(
    'button',
    { type: 'button', 'aria-keyshortcuts': 'Shift+M', onclick: () => void mark(player.instant) },
    t.markHere,
  );
  const form = h(
    'form',
    { class: 'marking', onsubmit: (event) => (event.preventDefault(), void mark(null)) },
    h('label', { for: 'marker-label' }, t.label),
    label,
    h('div', { class: 'row' }, now, here),
  );
  const list = h('ul', { class: 'marks' });
  const none = h('p', { class: 'note' }, t.none);
  /** @type {Map<string, HTMLElement>} */
  const rows = new Map(); // id → element, so that a list that is read again keeps its focus
  const show = () => {
    now.disabled = !buffer.goesOn;
    none.hidden = buffer.markers.length > 0;
    const known = new Set(buffer.markers.map((marker) => marker.id));
    for (const [id, one] of rows) {
      if (known.has(id)) continue;
      one.remove();
      rows.delete(id);
    }
    const sorted = [...buffer.markers].sort((a, b) => b.at - a.at);
    sorted.forEach((marker, place) => {
      const one = rows.get(marker.id) ?? row(marker);
      rows.set(marker.id, one);
      if (list.children[place] !== one) list.insertBefore(one, list.children[place] ?? null);
    });
  };
  buffer.addEventListener('change', show);
  show();
  const title = h('h2', { id: 'markers-title' }, t.title);
  const element = h(
    'section',
    { class: 'card panel marking-panel', 'aria-labelledby': 'markers-title' },
    title,
    form,
    none,
    list,
  );
  return { element, mark };

  /** @param {number | null} at */
  async function mark(at) {
    if (at === null && !buffer.goesOn) at = player.instant;
    /** @type {MarkerRequest} */
    const asked = at === null ? {} : { at: new Date(at).toISOString() };
    if (label.value.trim()) asked.label = label.value.trim();
    try {
      /** @type {MarkerView} */
      const made = await api.post(path, asked);
      label.value = '';
      tell(t.marked(clockTenths(made.at)), {
        kind: 'marked',
        action: { label: t.cutAround, run: () => cutAround(Date.parse(made.at), made.label) },
      });
      buffer.lookSoon();
    } catch (error) {
      tellProblem(error);
    }
  }

  /** @param {Marker} marker */
  function row(marker) {
    const name = marker.label || t.unnamed;
    const at = clockTenths(marker.at);
    const remove = h(
      'button',
      {
        type: 'button',
        class: 'plain icon',
        'aria-label': t.deleteIt(name, at),
        title: t.delete,
        onclick: () => void removeIt(marker, remove),
      },
      icon('close'),
    );
    return h(
      'li',
      {},
      h(
        'button',
        {
          type: 'button',
          class: 'plain jump',
          'aria-label': t.jump(name, at),
          onclick: () => jump(marker.at),
        },
        time(marker.at, clockTenths),
        h('span', { class: 'name', dir: 'auto' }, marker.label),
      ),
      h(
        'button',
        { type: 'button', 'aria-label': t.cutAroundIt(name, at), onclick: () => cutAround(marker.at, marker.label) },
        t.cutAround,
      ),
      remove,
      h('span', { class: 'note by' }, t.by(marker.marked_by), ' ', t.keptUntil, ' ', time(marker.kept_until)),
    );
  }

  /** @param {number} at */
  function jump(at) {
    player.seek(at);
    axis.reveal(at);
  }

  /**
   * @param {number} at
   * @param {string} named
   */
  function cutAround(at, named) {
    selection.choose(at - AROUND_MS[0], at + AROUND_MS[1], { named });
    axis.reveal(selection.start);
    axis.reveal(selection.end);
    player.seek(selection.start);
  }

  /**
   * @param {Marker} marker
   * @param {HTMLButtonElement} button
   */
  async function removeIt(marker, button) {
    button.disabled = true;
    try {
      await api.delete(`${path}/${encodeURIComponent(marker.id)}`);
      fill(rows.get(marker.id) ?? h('li'), h('span', { class: 'note' }, t.deleted));
      label.focus();
      buffer.lookSoon();
    } catch (error) {
      button.disabled = false;
      tellProblem(error);
    }
  }
}
