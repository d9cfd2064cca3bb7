// A clip in other formats: what there is of it, how far is what is being made, and making more.

import { FINAL } from '../api.js';
import { fill, h } from '../dom.js';
import { tellProblem } from '../telling.js';
import { bytes, length } from '../times.js';
import { called, texts } from '../texts.js';

/**
 * @import { ClipView, RenditionFormat, RenditionList, RenditionRequest, RenditionView } from '../../types.js'
 * @import { Api } from '../api.js'
 */

const own = texts.library.renditions;
const LONGEST = 15; // seconds of a moving picture
const LOOK_MS = 1000;
/** @type {RenditionFormat[]} */
const FORMATS = ['gif', 'webp', 'mp4-720p'];
/** @type {RenditionFormat} */
const OF_MOMENT = 'mp4-side-by-side';
const MOVING = ['gif', 'webp'];

/**
 * {element, close()}. `video` shows the clip: of a long one a moving picture begins where the film is.
 * `owned`: whether the viewer may make and delete them.
 *
 * @param {ClipView} clip
 * @param {{api: Api, video: HTMLVideoElement, owned: boolean}} options
 */
export function renditionsOf(clip, { api, video, owned }) {
  const path = `/clips/${clip.id}/renditions`;
  const list = h('ul', { class: 'renditions', 'aria-label': own.heading });
  const none = h('p', { class: 'note', hidden: true }, own.none);
  const buttons = [...FORMATS, ...(clip.moment_id ? [OF_MOMENT] : [])].map((format) =>
    h('button', { type: 'button', onclick: () => void make(format) }, called(own.make, format) ?? format),
  );
  const element = h(
    'details',
    { ontoggle: () => void look() },
    h('summary', {}, own.heading),
    owned && h('div', { class: 'row' }, buttons),
    owned && clip.delivered.duration_seconds > LONGEST && h('p', { class: 'note' }, own.explain),
    none,
    list,
  );
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let next;
  let closed = false;

  async function look() {
    clearTimeout(next);
    if (closed || !element.open) return;
    try {
      /** @type {RenditionList} */
      const { items } = await api.get(path);
      if (closed) return;
      show(items);
      if (items.some((each) => !FINAL.includes(each.status))) next = setTimeout(() => void look(), LOOK_MS);
    } catch (error) {
      tellProblem(error);
    }
  }

  /** @param {RenditionView[]} items */
  function show(items) {
    none.hidden = items.length > 0;
    const focused = list.contains(document.activeElement);
    fill(list, items.map(item));
    if (focused) element.querySelector('summary')?.focus();
  }

  /** @param {RenditionView} made */
  function item(made) {
    const name = called(own.formats, made.format) ?? made.format;
    const part = `${length(made.start_seconds, { tenths: true })} – ${length(made.end_seconds, { tenths: true })}`;
    const remove = h(
      'button',
      { type: 'button', class: 'plain', 'aria-label': own.remove(name, part), onclick: () => void drop(made) },
      own.removeShort,
    );
    return h('li', { class: 'row' }, h('span', {}, `${name}, ${part}`), stateOf(api, made, name), owned && remove);
  }

  /** @param {RenditionFormat} format */
  async function make(format) {
    /** @type {RenditionRequest} */
    const body = { format };
    const whole = clip.delivered.duration_seconds;
    if (MOVING.includes(format) && whole > LONGEST) {
      body.start = Math.max(0, Math.min(Math.round(video.currentTime * 1000) / 1000, whole - 1));
    }
    try {
      await api.post(path, body);
      await look();
    } catch (error) {
      tellProblem(error);
    }
  }

  /** @param {RenditionView} made */
  async function drop(made) {
    try {
      await api.delete(`${path}/${made.id}`);
      await look();
    } catch (error) {
      tellProblem(error);
    }
  }

  function close() {
    closed = true;
    clearTimeout(next);
  }

  return { element, close };
}

/**
 * How far a rendition is: why it failed, a link that saves it, or a bar.
 *
 * @param {Api} api
 * @param {RenditionView} made
 * @param {string} name
 */
export function stateOf(api, made, name) {
  if (made.status === 'failed') {
    return h('span', { class: 'bad-text' }, called(texts.timeline.failures, made.reason ?? '') ?? made.detail);
  }
  if (made.download_url && made.size_bytes !== null) {
    const said = own.download(bytes(made.size_bytes));
    return h('a', { class: 'button', href: api.url(made.download_url), download: '' }, said);
  }
  const value = made.progress > 0 ? made.progress : undefined;
  return h('progress', { max: 1, 'aria-label': own.making(name), ...(value && { value }) });
}
