// Whose share a buffer's page is of, and how it is doing.

import { encodingOf, stateOf } from '../buffers/words.js';
import { fill, h } from '../dom.js';
import { icon } from '../icons.js';
import { texts } from '../texts.js';

/**
 * @import { Api } from '../api.js'
 * @import { Session } from '../session.js'
 * @import { WatchedBuffer } from './watched.js'
 */

const t = texts.timeline;

/**
 * The page's head; its state is kept up to date.
 *
 * @param {{session: Session, api: Api, buffer: WatchedBuffer}} page
 */
export function heading({ session, api, buffer }) {
  const state = h('div', { class: 'state row', role: 'status' });
  let shown = '';
  const show = () => {
    const { badge, tone, says, reason, todo } = stateOf(buffer.told, session.facts.identity, api.now());
    const clock = buffer.told.clock === 'exact' ? '' : t.approximate;
    const encoding = encodingOf(buffer.told);
    const known = [badge, says, reason, todo, encoding, clock].join('|');
    if (known === shown) return;
    shown = known;
    const words = [says, reason, todo, encoding, clock].filter(Boolean).join(' ');
    fill(state, h('span', { class: `badge ${tone}` }, badge), words && h('span', { class: 'note' }, words));
  };
  buffer.addEventListener('change', show);
  show();
  return h(
    'header',
    { class: 'head' },
    h('a', { class: 'back', href: '#/buffers' }, icon('back'), t.back),
    h('h1', {}, t.pageTitle(buffer.told.sharer, buffer.told.room)),
    state,
  );
}
