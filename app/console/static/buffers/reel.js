// The newest small pictures of a share, one after the other, while somebody points at its card.

import { Problem, isAborted } from '../api.js';
import { h } from '../dom.js';
import { paint, parse } from '../timeline/sprites.js';

/**
 * @import { BufferView } from '../../types.js'
 * @import { Api } from '../api.js'
 */

const DWELL_MS = 250; // a pointer on its way elsewhere asks for nothing
const STEP_MS = 350;
const LAST_SECONDS = 60;
const AT_MOST = 24;
const still = matchMedia('(prefers-reduced-motion: reduce)');

export class Reel {
  /** @type {number | undefined} */
  #timer;
  #ending = new AbortController();

  /** @param {Api} api */
  constructor(api) {
    this.api = api;
    this.element = h('div', { class: 'reel', hidden: true, 'aria-hidden': 'true' });
  }

  /** @param {BufferView} buffer */
  start(buffer) {
    if (this.#timer || still.matches) return;
    this.#ending = new AbortController();
    const { signal } = this.#ending;
    this.#timer = setTimeout(() => void this.#run(buffer, signal), DWELL_MS);
  }

  stop() {
    clearTimeout(this.#timer); // of an interval, too
    this.#timer = undefined;
    this.#ending.abort();
    this.element.hidden = true;
  }

  /**
   * @param {BufferView} buffer
   * @param {AbortSignal} signal
   */
  async #run(buffer, signal) {
    let cues;
    try {
      cues = await this.#cues(buffer, signal);
    } catch (error) {
      // The card does without them: what it shows is the poster.
      if (error instanceof Problem || isAborted(error) || isUnreadable(error)) return;
      throw error;
    }
    if (signal.aborted || cues.length < 2) return;
    let at = 0;
    const step = () => {
      const { clientWidth, clientHeight } = this.element;
      paint(this.element, cues[at++ % cues.length], clientWidth, clientHeight);
    };
    this.element.hidden = false;
    step();
    this.#timer = setInterval(step, STEP_MS);
  }

  /**
   * The newest cues; their sheet is loaded.
   *
   * @param {BufferView} buffer
   * @param {AbortSignal} signal
   */
  async #cues(buffer, signal) {
    const path = `/buffers/${encodeURIComponent(buffer.id)}/thumbnails.vtt`;
    const answer = await this.api.answer(path, { last: LAST_SECONDS }, { signal });
    const cues = parse(await answer.text(), answer.url).slice(-AT_MOST);
    const sheets = [...new Set(cues.map((cue) => cue.url))];
    await Promise.all(sheets.map((url) => loaded(url)));
    return cues;
  }
}

/** Whether a picture came that is none. @param {unknown} error */
const isUnreadable = (error) => error instanceof Error && error.name === 'EncodingError';

/** @param {string} url */
function loaded(url) {
  const sheet = new Image();
  sheet.src = url;
  return sheet.decode();
}
