// The first run, for whoever runs the server: what is there, what is missing, and the lines for it.

import { isAborted } from '../api.js';
import { fill, h } from '../dom.js';
import { copy } from '../library/copying.js';
import { inWords } from '../telling.js';
import { texts } from '../texts.js';

/**
 * @import { CheckView, ChecksView } from '../../types.js'
 * @import { Api } from '../api.js'
 */

const own = texts.buffers.checklist;
const CHECKS = /** @type {const} */ (['livekit', 'webhook', 'egress']);
const AGAIN_MS = 15_000;

/**
 * The steps and how each stands, kept up to date until `signal` aborts.
 *
 * @param {Api} api
 * @param {AbortSignal} signal
 */
export function checklist(api, signal) {
  const list = h('ol', { class: 'steps' });
  const lines = webhookLines(location.origin);
  const shown = h('code', {}, lines);
  const button = h('button', { onclick: () => void copy(lines, shown, own.copied) }, own.copy);
  const wrong = h('p', { class: 'bad-text', role: 'alert', hidden: true });
  const look = async () => {
    if (signal.aborted) return;
    try {
      /** @type {ChecksView} */
      const { items } = await api.get('/operations/checks', {}, { signal });
      fill(list, steps(items).map(step), step({ name: 'share', done: false, detail: own.shareDetail, advice: '' }));
      wrong.hidden = true;
    } catch (error) {
      if (isAborted(error)) return;
      wrong.textContent = inWords(error);
      wrong.hidden = false;
    }
    setTimeout(() => void look(), AGAIN_MS);
  };
  void look();
  return h(
    'section',
    { class: 'card checklist', 'aria-labelledby': 'checklist-title' },
    h('h2', { id: 'checklist-title' }, own.title),
    list,
    wrong,
    h('h3', {}, own.config),
    h('pre', {}, shown),
    button,
  );
}

/**
 * @typedef {{name: 'livekit' | 'webhook' | 'egress' | 'share', done: boolean, detail: string,
 *   advice: string}} Step
 */

/**
 * The steps that checks tell of. Pure.
 *
 * @param {CheckView[]} items
 * @returns {Step[]}
 */
export function steps(items) {
  return CHECKS.map((name) => {
    const found = items.find((item) => item.name === name);
    const { level, detail, advice } = found ?? { level: 'unknown', detail: '', advice: '' };
    return { name, done: level === 'ok', detail, advice };
  });
}

/** What livekit.yaml needs, so that LiveKit tells the service of its rooms. Pure. @param {string} origin */
export const webhookLines = (origin) =>
  `webhook:\n  api_key: LIVEKIT_API_KEY\n  urls:\n    - ${origin}/webhooks/livekit`;

/** @param {Step} told */
function step({ name, done, detail, advice }) {
  return h(
    'li',
    { 'data-done': String(done) },
    h('strong', {}, own.steps[name]),
    h('span', { class: 'visually-hidden' }, done ? own.done : own.open),
    detail && h('p', { class: 'note' }, detail),
    !done && advice && h('p', {}, advice),
  );
}
