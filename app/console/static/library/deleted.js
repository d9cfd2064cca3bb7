// The clips that were deleted and rest: brought back, or deleted for good.

import { Problem } from '../api.js';
import { ask } from '../asking.js';
import { h } from '../dom.js';
import { icon } from '../icons.js';
import { Listing } from '../lists/listing.js';
import { tell, tellProblem } from '../telling.js';
import { bytes, fromNow, length, time } from '../times.js';
import { texts } from '../texts.js';
import { quotaBar } from './quota.js';
import { nameOf } from './words.js';

/**
 * @import { ClipView } from '../../types.js'
 * @import { Page } from '../main.js'
 */

const own = texts.library.deleted;
const GONE = [404, 410];

/** @param {Pick<Page, 'session' | 'api'>} page */
export async function openDeleted({ session, api }) {
  const { restore_seconds } = session.facts.limits;
  const quota = quotaBar(api);
  /** @type {Listing<ClipView>} */
  const listing = new Listing({
    name: own.title,
    columns: own.columns,
    empty: own.nothing,
    ask: (place, signal) => api.get('/clips', { deleted: true, ...place }, { signal }),
    key: (clip) => clip.id,
    cells: (clip) => [
      h('bdi', {}, nameOf(clip)),
      texts.library.grid.whose(clip.sharer, clip.room),
      clip.owner,
      `${length(clip.delivered.duration_seconds)}, ${bytes(clip.size_bytes)}`,
      clip.deleted_at && time(clip.deleted_at, fromNow),
      clip.deleted_at && time(new Date(Date.parse(clip.deleted_at) + restore_seconds * 1000), fromNow),
      h(
        'div',
        { class: 'row' },
        h('button', { 'aria-label': own.restoreOf(nameOf(clip)), onclick: () => void restore(clip) }, own.restore),
        h(
          'button',
          { class: 'danger', 'aria-label': own.purgeOf(nameOf(clip)), onclick: () => void purge(clip) },
          own.purge,
        ),
      ),
    ],
  });

  /** @param {ClipView} clip */
  async function restore(clip) {
    try {
      await api.post(`/clips/${clip.id}/restore`);
      tell(own.restored(nameOf(clip)));
    } catch (error) {
      tellProblem(error);
      if (!isGone(error)) return;
    }
    listing.drop(clip.id);
    void quota.update();
  }

  /** @param {ClipView} clip */
  async function purge(clip) {
    const sure = await ask({
      title: own.purgeOf(nameOf(clip)),
      explain: own.purgeExplain,
      submit: own.purge,
      danger: true,
      act: async () => {
        await api.delete(`/clips/${clip.id}?purge=true`).catch((error) => {
          if (!isGone(error)) throw error;
        });
      },
    });
    if (sure) listing.drop(clip.id);
  }

  void quota.update();
  await listing.load();
  const element = h(
    'section',
    { class: 'library' },
    h('a', { class: 'back', href: '#/clips' }, icon('back'), texts.library.details.back),
    h('div', { class: 'row head' }, h('h1', {}, own.title), quota.element),
    h('p', { class: 'hint' }, own.explain),
    listing.element,
  );
  return { title: own.title, element, close: () => listing.close() };
}

/** @param {unknown} error */
const isGone = (error) => error instanceof Problem && GONE.includes(error.status);
