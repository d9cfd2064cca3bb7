// Who can watch several clips: chosen once, set for each.

import { Problem } from '../api.js';
import { ask } from '../asking.js';
import { h } from '../dom.js';
import { inWords, tell } from '../telling.js';
import { called, texts } from '../texts.js';

/**
 * @import { ClipView } from '../../types.js'
 * @import { Api } from '../api.js'
 * @typedef {ClipView['visibility']} Audience
 */

const own = texts.library.selection;
const audience = texts.library.audience;
const WHY_SECONDS = 12;

/**
 * Asks who can watch the clips, and makes it so. `onChange(clip)` hears of each that has changed.
 *
 * @param {ClipView[]} clips
 * @param {{api: Pick<Api, 'patch'>, onChange: (clip: ClipView) => void}} options
 */
export async function chooseAccess(clips, options) {
  const radios = Object.entries(audience.names).map(([value, name], place) =>
    h(
      'label',
      {},
      h('input', { type: 'radio', name: 'visibility', value, required: true, autofocus: place === 0 }),
      h('span', {}, h('span', {}, name), h('span', { class: 'hint' }, called(audience.explain, value))),
    ),
  );
  const title = own.accessOf(clips.length);
  const fields = h('fieldset', { class: 'audience' }, h('legend', { class: 'visually-hidden' }, audience.legend), radios);
  const data = await ask({ title, fields, submit: own.change });
  if (!data) return;
  const chosen = /** @type {Audience} */ (data.get('visibility'));
  const { done, lost } = await openAll(clips, chosen, options);
  if (done) tell(own.changed(done, audience.chosen[chosen]));
  const reasons = lost.map(inWords);
  for (const why of new Set(reasons)) {
    const count = reasons.filter((each) => each === why).length;
    tell(own.notChanged(count, why), { alert: true, seconds: WHY_SECONDS });
  }
}

/**
 * Opens clips to an audience, one after another: how many are so now, and why others are not.
 *
 * @param {ClipView[]} clips
 * @param {Audience} visibility
 * @param {{api: Pick<Api, 'patch'>, onChange: (clip: ClipView) => void}} options
 */
export async function openAll(clips, visibility, { api, onChange }) {
  /** @type {Problem[]} */
  const lost = [];
  for (const clip of clips) {
    // Also those that are so as far as this page knows: elsewhere they may have been changed since.
    try {
      onChange(await api.patch(`/clips/${encodeURIComponent(clip.id)}`, { visibility }));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      lost.push(error);
    }
  }
  return { done: clips.length - lost.length, lost };
}
