// What takes the viewer's quota: their own clips of all rooms, largest first, to be deleted here.

import { ask } from '../asking.js';
import { Problem } from '../api.js';
import { h } from '../dom.js';
import { icon } from '../icons.js';
import { Listing } from '../lists/listing.js';
import { tell } from '../telling.js';
import { bytes, fromNow, length, time } from '../times.js';
import { texts } from '../texts.js';
import { quotaBar } from './quota.js';

/**
 * @import { ChargedClipView } from '../../types.js'
 * @import { Page } from '../main.js'
 */

const own = texts.library.space;

/** @param {Pick<Page, 'session' | 'api'>} page */
export async function openSpace({ session, api }) {
  const { room } = session.facts;
  const quota = quotaBar(api, { leads: false });
  /** @type {Listing<ChargedClipView>} */
  const listing = new Listing({
    name: own.title,
    columns: own.columns,
    empty: texts.library.grid.nothing,
    ask: (place, signal) => api.get('/quota/clips', place, { signal }),
    key: (clip) => clip.id,
    cells: (clip) => [
      room === null || room === clip.room
        ? h('a', { href: `#/clips/${encodeURIComponent(clip.id)}`, dir: 'auto' }, nameOf(clip))
        : h('bdi', {}, nameOf(clip)),
      h('bdi', {}, clip.room),
      length(clip.duration_seconds),
      bytes(clip.size_bytes),
      time(clip.created_at, fromNow),
      h(
        'button',
        { class: 'danger', 'aria-label': own.deleteOf(nameOf(clip)), onclick: () => void remove(clip) },
        own.delete,
      ),
    ],
  });

  /** @param {ChargedClipView} clip */
  async function remove(clip) {
    const sure = await ask({
      title: own.deleteOf(nameOf(clip)),
      explain: own.explainDelete(clip.room),
      submit: own.delete,
      danger: true,
      act: async () => {
        await api.delete(`/clips/${encodeURIComponent(clip.id)}`).catch((error) => {
          if (!(error instanceof Problem && error.status === 404)) throw error;
        });
      },
    });
    if (!sure) return;
    listing.drop(clip.id);
    tell(own.freed(bytes(clip.size_bytes)));
    void quota.update();
  }

  void quota.update();
  await listing.load();
  const element = h(
    'section',
    { class: 'library' },
    h('a', { class: 'back', href: '#/clips' }, icon('back'), texts.library.details.back),
    h('div', { class: 'row head' }, h('h1', {}, own.title), quota.element),
    h('p', { class: 'hint', dir: 'auto' }, own.explain, room !== null && ` ${own.elsewhere(room)}`),
    listing.element,
  );
  return { title: own.title, element, close: () => listing.close() };
}

/** @param {ChargedClipView} clip */
const nameOf = (clip) => clip.title || own.untitled(time(clip.created_at, fromNow).textContent ?? '');
