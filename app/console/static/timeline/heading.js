// Whose share a buffer's page is of, and how it is doing.

import { fill, h } from '../dom.js';
import { texts } from '../texts.js';

const TONES = { recording: 'good', lagging: 'warn', stalled: 'bad', refused: 'bad' };
const t = texts.timeline;

/** The page's head; its state is kept up to date. */
export function heading({ buffer }) {
  const state = h('p', { class: 'state row', role: 'status' });
  let shown = '';
  const show = () => {
    const { told } = buffer;
    const why = told.why ? (t.why[told.why] ?? told.why_detail) : '';
    const clock = told.clock === 'exact' ? '' : t.approximate;
    const known = [told.state, why, clock].join('|');
    if (known === shown) return;
    shown = known;
    const badge = h(
      'span',
      { class: `badge ${TONES[told.state] ?? 'soft'}` },
      t.states[told.state] ?? told.state,
    );
    fill(state, badge, why && h('span', {}, why), clock && h('span', { class: 'note' }, clock));
  };
  buffer.addEventListener('change', show);
  show();
  return h(
    'header',
    { class: 'head' },
    h('a', { class: 'back', href: '#/buffers' }, t.back),
    h('h1', {}, t.pageTitle(buffer.told.identity, buffer.told.room)),
    state,
  );
}
