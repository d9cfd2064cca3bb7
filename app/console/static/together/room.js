// #/rooms/{room}: all screens of a room, played in step, and captured together.

import { Problem } from '../api.js';
import { pathName } from '../admin/names.js';
import { fill, h } from '../dom.js';
import { tellProblem } from '../telling.js';
import { texts } from '../texts.js';
import { stage } from './stage.js';

/**
 * @import { Page, View } from '../main.js'
 * @import { Read } from './stage.js'
 */

const t = texts.together;

/**
 * @param {Page} page
 * @returns {Promise<View>}
 */
export async function open(page) {
  const { api, params } = page;
  const path = `/rooms/${pathName(params.room)}/timeline`;
  const place = h('div', { class: 'together' });
  const ending = new AbortController();
  /** @type {ReturnType<typeof stage> | null} */
  let shown = null;
  /** @type {Read} */
  const read = (sid) => api.get(path, { room_sid: sid }, { signal: ending.signal });
  const show = async () => {
    const told = await read();
    if (ending.signal.aborted) return;
    const chosen = shown?.chosen() ?? [];
    shown?.close();
    shown = stage(page, told, { read, chosen, anew: () => void show().catch(lost).catch(tellProblem) });
    fill(place, shown.element);
  };
  const lost = (/** @type {unknown} */ error) => {
    if (ending.signal.aborted) return;
    if (!(error instanceof Problem) || error.status !== 404) throw error;
    shown?.close();
    shown = null;
    fill(place, notThere());
  };
  await show().catch(lost);
  const close = () => (ending.abort(), shown?.close());
  return { title: t.pageTitle(params.room), element: place, keys: t.keys, close };
}

function notThere() {
  return h(
    'div',
    { class: 'empty' },
    h('h1', {}, t.notThere),
    h('a', { class: 'button', href: '#/buffers' }, texts.timeline.notThere.back),
  );
}
