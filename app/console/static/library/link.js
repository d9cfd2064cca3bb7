// A clip's link in one click: made if there is none, copied, and said.

import { ask } from '../asking.js';
import { h } from '../dom.js';
import { tell, tellProblem } from '../telling.js';
import { fromNow } from '../times.js';
import { texts } from '../texts.js';

/**
 * @import { ClipView } from '../../types.js'
 * @import { Api } from '../api.js'
 */

const own = texts.library.link;

/**
 * Copies the address of a clip's page. `onChange(clip)` hears of a link that was made for it.
 *
 * @param {ClipView} clip
 * @param {{api: Api, onChange?: (clip: ClipView) => void}} options
 */
export async function copyLink(clip, { api, onChange = () => {} }) {
  if (clip.visibility === 'room') {
    const { title, explain, submit } = own.instead;
    if (!(await ask({ title, explain, submit }))) return;
  }
  const opening = opened(clip, api);
  // Asked for now, within the click: some browsers let no page copy any later.
  const copying = copied(opening.then((found) => found.page_url ?? ''));
  try {
    const found = await opening;
    if (found !== clip) onChange(found);
    if (!(await copying)) await byHand(found.page_url ?? '');
    else tell(found.link_expires_at ? own.copied(fromNow(found.link_expires_at)) : own.copiedPlain);
  } catch (error) {
    tellProblem(error);
  }
}

/**
 * The clip with a link that holds.
 *
 * @param {ClipView} clip
 * @param {Api} api
 * @returns {Promise<ClipView>}
 */
async function opened(clip, api) {
  const holds = clip.page_url && clip.link_expires_at && Date.parse(clip.link_expires_at) > api.now();
  return holds ? clip : api.patch(`/clips/${clip.id}`, { visibility: 'link' });
}

/**
 * Whether a text has come into the clipboard. It may be on its way still.
 *
 * @param {Promise<string>} text
 */
async function copied(text) {
  try {
    if (typeof ClipboardItem === 'function') {
      const plain = text.then((found) => new Blob([found], { type: 'text/plain' }));
      await navigator.clipboard.write([new ClipboardItem({ 'text/plain': plain })]);
    } else {
      await navigator.clipboard.writeText(await text);
    }
    return true;
  } catch {
    return false; // there is no clipboard, as at http://…, or it is denied
  }
}

/** Shows a text that the viewer has to copy. @param {string} text */
async function byHand(text) {
  /** @type {HTMLInputElement} */
  const field = h('input', {
    readonly: true,
    autofocus: true,
    value: text,
    'aria-label': own.label,
    onfocus: () => field.select(),
  });
  const { title, explain, submit } = own.byHand;
  await ask({ title, explain, fields: field, submit });
}
