// A clip on a page of its own.

import { fill, h } from '../dom.js';
import { icon } from '../icons.js';
import { texts } from '../texts.js';
import { deleteClips } from './deleting.js';
import { detailsOf } from './details.js';
import { nameOf } from './words.js';

/**
 * @import { ClipView } from '../../types.js'
 * @import { Page } from '../main.js'
 */

const own = texts.library.details;

/** @param {Page} page */
export async function open({ session, api, params }) {
  /** @type {ClipView} */
  let clip = await api.get(`/clips/${encodeURIComponent(params.id)}`);
  const back = h('a', { class: 'back', href: '#/clips' }, icon('back'), own.back);
  const place = h('div', {});
  const element = h('article', { class: 'clip-page' }, back, place);
  /** @type {ReturnType<typeof detailsOf> | null} */
  let details = null;
  let left = false;

  function show() {
    details?.close();
    details = detailsOf(clip, {
      api,
      session,
      level: 1,
      autoplay: false,
      onChange: (changed) => (clip = changed),
      onDelete,
      onGone: gone,
    });
    fill(place, details.element);
  }

  function onDelete() {
    const restorable = session.facts.limits.restore_seconds;
    void deleteClips([clip], { api, restorable, onGone: gone, onBack: returned, onDone: () => {} });
  }

  function gone() {
    details?.close();
    fill(place, h('p', { class: 'empty', role: 'status' }, own.gone));
    back.focus();
  }

  /** @param {ClipView} restored */
  function returned(restored) {
    clip = restored;
    if (!left) show();
  }

  function leave() {
    left = true;
    details?.close();
  }

  show();
  return { title: nameOf(clip), element, close: leave };
}
