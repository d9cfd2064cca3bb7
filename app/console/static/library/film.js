// A clip's film: it plays, and a strip of its pictures leads to any part of it.

import { fill, h } from '../dom.js';
import { goOn } from '../going_on.js';
import { length } from '../times.js';
import { texts } from '../texts.js';
import { pictureAt, pictures, show } from './pictures.js';
import { nameOf } from './words.js';

/**
 * @import { ClipView } from '../../types.js'
 * @import { Api } from '../api.js'
 */

const own = texts.library.film;
const PICTURES = 8;
const AGAIN_MS = 1000;
const PATIENCE = 60; // looks for a copy that is being made

/**
 * The film of a clip. `autoplay` begins it, unless the viewer likes things to stand still. `again()`
 * gives the clip anew: its URLs end with the token.
 *
 * @param {ClipView} clip
 * @param {{api: Api, autoplay: boolean, again: () => Promise<ClipView>}} options
 */
export function film(clip, { api, autoplay, again }) {
  const ending = new AbortController();
  const wrong = h('p', { class: 'bad-text', role: 'alert', hidden: true });
  const strip = h('ol', { class: 'film-strip', 'aria-label': own.strip });
  const video = h('video', {
    controls: true,
    playsinline: true,
    preload: 'metadata',
    poster: api.url(clip.poster_url),
    src: api.url(clip.file_url),
    'aria-label': own.name(nameOf(clip)),
    width: clip.width,
    height: clip.height,
  });
  const preparing = () => void Object.assign(wrong, { hidden: false, textContent: own.preparing });
  goOn(
    video,
    async () => {
      const fresh = await prepared(again, ending.signal, preparing);
      wrong.hidden = true;
      return api.url(fresh.file_url);
    },
    () => void Object.assign(wrong, { hidden: false, textContent: own.broken }),
  );
  if (autoplay && !matchMedia('(prefers-reduced-motion: reduce)').matches) {
    video.addEventListener('canplay', () => void video.play().catch(() => {}), { once: true }); // a browser that forbids it shows its button
  }
  void fillStrip(strip, clip, api, ending.signal, (at) => {
    video.currentTime = at;
    void video.play().catch(() => {}); // the same
  });
  const marks = clip.chapters.map(({ seconds, label }, place) => {
    const at = h('span', { class: 'at' }, length(Math.floor(seconds)));
    const onclick = () => {
      video.currentTime = seconds;
      void video.play().catch(() => {}); // the same
    };
    return h('li', {}, h('button', { class: 'plain', onclick }, at, ' ', h('bdi', {}, label || own.chapter(place + 1))));
  });
  const chapters = marks.length > 0 && h('ol', { class: 'chapters', 'aria-label': own.chapters }, marks);
  return {
    element: h('div', { class: 'film' }, video, wrong, strip, chapters),
    video,
    close() {
      ending.abort();
      video.pause();
      video.removeAttribute('src');
      video.load(); // lets go of the connection
    },
  };
}

/**
 * The clip anew, once what others get of it is there. `onWait()` is called while it is not.
 *
 * @param {() => Promise<ClipView>} again
 * @param {AbortSignal} signal
 * @param {() => void} onWait
 */
async function prepared(again, signal, onWait) {
  let fresh = await again();
  for (let looks = 0; fresh.preparing && looks < PATIENCE && !signal.aborted; looks += 1) {
    onWait();
    await new Promise((done) => setTimeout(done, AGAIN_MS));
    fresh = await again();
  }
  return fresh;
}

/**
 * @param {HTMLElement} strip
 * @param {ClipView} clip
 * @param {Api} api
 * @param {AbortSignal} signal
 * @param {(seconds: number) => void} seek
 */
async function fillStrip(strip, clip, api, signal, seek) {
  try {
    const all = await pictures(api.url(clip.thumbnails_url), signal);
    const last = all[all.length - 1].end;
    const count = Math.min(PICTURES, all.length);
    const chosen = Array.from({ length: count }, (_, place) => pictureAt(all, (place / count) * last));
    const buttons = chosen.map((picture) => {
      const label = length(picture.start);
      const image = h('span', { class: 'picture' });
      const attributes = { onclick: () => seek(picture.start), 'aria-label': own.seek(label), title: label };
      return { picture, image, button: h('button', attributes, image) };
    });
    await Promise.all(buttons.map(({ picture, image }) => show(image, picture)));
    fill(
      strip,
      buttons.map(({ button }) => h('li', {}, button)),
    );
  } catch {
    strip.hidden = true; // the film's own bar leads everywhere, too
  }
}
