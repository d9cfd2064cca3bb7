// The screens of a room that are not played: a small picture of each, which brings it in.

import { h } from '../dom.js';
import { texts } from '../texts.js';

/**
 * @import { BufferTimeline } from '../../types.js'
 * @import { Api } from '../api.js'
 */

const t = texts.together;

/**
 * @typedef {{share: BufferTimeline, element: HTMLElement, button: HTMLElement, picture: HTMLImageElement}} Other
 */

/**
 * {element, show(shares, gives)}: `gives` is who makes room for the one that is pressed, for which
 * `swap(share)` is called.
 *
 * @param {Api} api
 * @param {(share: BufferTimeline) => void} swap
 */
export function othersOf(api, swap) {
  /** @type {Map<string, Other>} */
  const made = new Map();
  const list = h('ul', { class: 'others' });
  const element = h('section', { hidden: true }, h('h2', { class: 'note' }, t.others), list);
  return { element, show };

  /**
   * @param {BufferTimeline[]} shares
   * @param {string} gives
   */
  function show(shares, gives) {
    for (const [id, { element: gone }] of made) {
      if (shares.some((share) => share.id === id)) continue;
      gone.remove();
      made.delete(id);
    }
    for (const share of shares) {
      const each = made.get(share.id) ?? make(share);
      each.share = share;
      each.button.title = t.instead(share.sharer, gives);
      const url = share.poster_url ? api.url(share.poster_url) : '';
      if (url && each.picture.src !== url) each.picture.src = url;
      if (!each.element.parentNode) list.append(each.element);
    }
    element.hidden = !shares.length;
  }

  /** @param {BufferTimeline} share */
  function make(share) {
    const picture = h('img', { alt: '', decoding: 'async' });
    const button = h('button', { type: 'button', class: 'plain' }, picture, h('bdi', {}, share.sharer));
    /** @type {Other} */
    const each = { share, picture, button, element: h('li', {}, button) };
    button.addEventListener('click', () => swap(each.share));
    // A picture that is still being drawn comes with the next look.
    picture.addEventListener('error', () => picture.removeAttribute('src'));
    made.set(share.id, each);
    return each;
  }
}
