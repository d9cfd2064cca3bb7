// Posting a clip in a channel of the chat.

import { ask } from '../asking.js';
import { h } from '../dom.js';
import { freshKey } from '../fresh_key.js';
import { tell } from '../telling.js';
import { texts } from '../texts.js';
import { nameOf } from './words.js';

const own = texts.library.share;
let lastChannel = '';

/**
 * Asks for the channel and the words, of at most `longest` characters, then asks the service to post
 * the clip there.
 */
export async function shareClip(clip, { api, longest }) {
  // The same dialog sent twice, over a bad connection, is one message.
  const key = freshKey();
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
    explain: own.explain[clip.visibility],
    fields: [
      h('label', { class: 'field' }, own.channel, channel),
      h('label', { class: 'field' }, own.text, words),
    ],
    submit: own.submit,
    act: (data) => {
      const body = { channel_id: data.get('channel_id').trim() };
      const text = data.get('text').trim();
      return api.post(`/clips/${clip.id}/share`, text ? { ...body, text } : body, { 'Idempotency-Key': key });
    },
  });
  if (!sent) return;
  lastChannel = sent.get('channel_id').trim();
  tell(own.sent(lastChannel));
}
