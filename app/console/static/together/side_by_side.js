// One film of all clips of a moment, made when it is asked for.

import { FINAL, Problem } from '../api.js';
import { fill, h } from '../dom.js';
import { stateOf } from '../library/renditions.js';
import { tellProblem } from '../telling.js';
import { called, texts } from '../texts.js';

/**
 * @import { ClipView, RenditionList, RenditionView } from '../../types.js'
 * @import { Api } from '../api.js'
 */

const LOOK_MS = 1000;
const NAME = called(texts.library.renditions.formats, 'mp4-side-by-side') ?? '';

/**
 * Of `clips`, two at least; the first that has sound is heard.
 *
 * @param {Api} api
 * @param {ClipView[]} clips
 * @param {AbortSignal} signal
 */
export function sideBySide(api, clips, signal) {
  const first = clips.find((clip) => clip.audio) ?? clips[0];
  const path = `/clips/${first.id}/renditions`;
  const button = h('button', { type: 'button', onclick: () => void make() }, texts.together.oneFilm);
  const state = h('span', { role: 'status' });
  return h('div', { class: 'row' }, button, state);

  async function make() {
    button.disabled = true;
    try {
      /** @type {RenditionView} */
      let made = await api.post(path, { format: 'mp4-side-by-side' });
      for (;;) {
        fill(state, stateOf(api, made, NAME));
        if (FINAL.includes(made.status)) break;
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        /** @type {RenditionList} */
        const { items } = await api.get(path, {}, { signal });
        const { id } = made;
        const found = items.find((each) => each.id === id);
        if (!found) {
          fill(state, null);
          break;
        }
        made = found;
      }
      button.hidden = made.status === 'ready';
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      tellProblem(error);
    } finally {
      button.disabled = false;
    }
  }
}
