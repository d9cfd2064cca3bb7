// Posting a clip in a channel of the chat.

import { ask, typed } from '../asking.js';
import { h } from '../dom.js';
import { freshKey } from '../fresh_key.js';
import { tell } from '../telling.js';
import { called, texts } from '../texts.js';
import { nameOf } from './words.js';

/**
 * @import { ClipView } from '../../types.js'
 * @import { Api } from '../api.js'
 */

const own = texts.library.share;
let lastChannel = '';

/**
 * Asks for the channel and the words, of at most `longest` characters, then asks the service to post
 * the clip there.
 *
 * @param {ClipView} clip
 * @param {{api: Api, longest: number}} options
 */
export async function shareClip(clip, { api, longest }) {
  /** @type {{named: string, key: string} | null} */
  let pending = null;
  const channel = h('input', {
    name: 'channel_id',
    required: true,
    maxlength: 512,
    value: lastChannel,
    autofocus: true,
    autocomplete: 'off',
  });
  const words = h('textarea', { name: 'text', maxlength: longest, placeholder: own.placeholder });
  const sent = await ask({
    title: own.title(nameOf(clip)),
    explain: called(own.explain, clip.visibility),
    fields: [
      h('label', { class: 'field' }, own.channel, channel),
      h('label', { class: 'field' }, own.text, words),
    ],
    submit: own.submit,
    act: (data) => {
      const channelId = typed(data, 'channel_id');
      const text = typed(data, 'text');
      const body = text ? { channel_id: channelId, text } : { channel_id: channelId };
      const named = JSON.stringify(body);
      // The same words sent twice, over a bad connection, are one message.
      if (pending?.named !== named) pending = { named, key: freshKey() };
      return api.post(`/clips/${clip.id}/share`, body, { 'Idempotency-Key': pending.key });
    },
  });
  if (!sent) return;
  lastChannel = typed(sent, 'channel_id');
  tell(own.sent(lastChannel));
}
