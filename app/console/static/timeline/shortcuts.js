// The keys that do something, and a way to turn them off.

import { h } from '../dom.js';
import { texts } from '../texts.js';
import { keysOn, turnKeys } from './keys.js';

const t = texts.timeline.shortcuts;

/** A list that can be opened. */
export function shortcuts() {
  const on = h('input', {
    type: 'checkbox',
    id: 'keys-on',
    checked: keysOn(),
    onchange: () => turnKeys(on.checked),
  });
  return h(
    'details',
    { class: 'shortcuts' },
    h('summary', {}, t.title),
    h(
      'dl',
      {},
      t.keys.map(([keys, what]) =>
        h(
          'div',
          {},
          h(
            'dt',
            {},
            keys.map((key) => h('kbd', {}, key)),
          ),
          h('dd', {}, what),
        ),
      ),
    ),
    h('label', { class: 'row', for: 'keys-on' }, on, t.on),
  );
}
