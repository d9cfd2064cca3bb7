// What is being recorded, nearly as it happens, in the place of the film that is looked back at; and clips of it.

import { keepLast } from '../buffers/acting.js';
import { fill, h, set } from '../dom.js';
import { icon } from '../icons.js';
import { tell } from '../telling.js';
import { texts } from '../texts.js';
import { whyNot } from '../timeline/film_problems.js';
import { toggleFull } from '../timeline/frame.js';
import { clockTenths } from '../times.js';
import { distance, edge } from './edge.js';
import { LiveFilm, canWatch } from './live_film.js';
import { isSeen } from './seen.js';

/**
 * @import { Icon } from '../icons.js'
 * @import { LiveBuffers } from '../live.js'
 * @import { Desk } from '../timeline/buffer.js'
 */

const SECONDS = [15, 30, 60, 120];
const AT_FIRST = 30;
const TICK_MS = 200;
const t = texts.watching;
const player = texts.timeline.player;

/**
 * The live picture of one share: over the player's, with a bar of its own in place of `controls`.
 *
 * Whatever is done with the player leaves it, at the moment that is shown; `made(id)` is told of each
 * capture that has ended.
 *
 * @param {Desk} desk
 * @param {LiveBuffers} live
 * @param {HTMLElement} controls
 * @param {(id: string) => void} made
 */
export function liveView({ api, buffer, player: back, axis, selection }, live, controls, made) {
  /** @type {LiveFilm | null} */
  let film = null;
  let left = false; // whether it was looked at before
  let hushed = false; // whether it is silent because the browser wanted that, not the viewer
  const ending = new AbortController();
  const { signal } = ending;
  const video = h('video', { class: 'live-picture', playsinline: true, 'aria-label': t.video });
  const enter = h('button', { type: 'button', class: 'watch', onclick: begin });
  const badge = h('span', { class: 'badge live watch' }, t.live);
  const says = h('p', { class: 'says live-says', role: 'status' });
  const picture = [video, says, badge]; // in the page while it is shown
  const behind = h('span', { class: 'now' });
  const at = h('span', { class: 'within soft' });
  const button = (/** @type {string} */ label, /** @type {Icon} */ sign, /** @type {() => void} */ act) =>
    h('button', { type: 'button', class: 'icon', 'aria-label': label, title: label, onclick: act }, icon(sign));
  const mute = button(player.mute, 'sound', () => (video.muted = !video.muted));
  const offered = SECONDS.filter((each) => each * 1000 <= selection.most);
  /** @type {HTMLSelectElement} */
  const long = h(
    'select',
    { 'aria-label': t.length },
    offered.map((each) => h('option', { value: each, selected: each === AT_FIRST }, t.last(texts.timeline.presets.short(each)))),
  );
  const clipThis = h(
    'button',
    { type: 'button', class: 'primary', 'aria-keyshortcuts': 'k', onclick: () => void clip() },
    t.clip,
  );
  const bar = h(
    'div',
    { class: 'controls live-bar', role: 'group', 'aria-label': player.controls, hidden: true },
    h('div', { class: 'row' }, button(t.pause, 'pause', () => leave())),
    h('div', { class: 'time' }, behind, at),
    h('div', { class: 'row' }, mute, button(player.full, 'full', () => toggleFull(back))),
    h('div', { class: 'row clipping' }, long, clipThis),
  );
  back.element.append(enter);
  back.addEventListener('asked', leave, { signal });
  buffer.addEventListener('change', show, { signal });
  video.addEventListener('click', leave);
  video.addEventListener('volumechange', drawSound);
  const timer = setInterval(tick, TICK_MS);
  show();
  return {
    bar,
    begin,
    leave,
    clip,
    close,
    /** Whether it is what is shown. */
    get on() {
      return Boolean(film);
    },
    /** The instant that is shown, live or not. */
    get instant() {
      return film?.clock?.instant(video.currentTime) ?? back.instant;
    },
    get video() {
      return film ? video : back.video;
    },
  };

  function begin() {
    if (film || !canWatch || !buffer.goesOn) return;
    const hadFocus = document.activeElement === enter;
    back.video.pause();
    film = new LiveFilm({ api, live, id: buffer.id }, video);
    film.addEventListener('failed', () => {
      const problem = film?.problem;
      leave();
      if (problem) tell(whyNot(problem), { alert: true });
    });
    back.element.append(...picture);
    hushed = false;
    video.muted = back.video.muted;
    video.volume = back.video.volume;
    drawSound();
    axis.follow(true);
    show();
    if (hadFocus) clipThis.focus();
  }

  function leave() {
    if (!film) return;
    const shown = film.clock?.instant(video.currentTime);
    const hadFocus = bar.contains(document.activeElement);
    film.close();
    film = null;
    for (const part of picture) part.remove();
    left = true;
    if (!hushed) back.video.muted = video.muted;
    if (shown !== undefined) back.seek(shown);
    show();
    if (hadFocus) enter.focus();
  }

  function close() {
    ending.abort();
    clearInterval(timer);
    film?.close();
  }

  /** Makes a clip of what has just happened; the picture goes on meanwhile. One at a time. */
  async function clip() {
    if (!film || clipThis.disabled) return;
    clipThis.disabled = true;
    try {
      const id = await keepLast(api, buffer.told, Number(long.value));
      if (id && !signal.aborted) made(id);
    } finally {
      clipThis.disabled = false;
    }
  }

  function show() {
    if (film && !buffer.goesOn) return leave();
    const on = Boolean(film);
    back.element.classList.toggle('watching', on);
    controls.hidden = on;
    bar.hidden = !on;
    enter.hidden = on || !canWatch || !buffer.goesOn;
    const words = left ? t.back : t.watch;
    if (enter.textContent !== words) fill(enter, h('span', { class: 'dot', 'aria-hidden': 'true' }), words);
  }

  function tick() {
    if (!film) return;
    const { clock, newest, longest } = film;
    write(says, clock ? '' : player.loading);
    if (!isSeen(video) || !clock || newest === null) return video.pause();
    const shown = clock.instant(video.currentTime);
    const { seek, rate } = edge(shown, newest, longest);
    if (seek) video.currentTime = clock.second(newest - distance(longest));
    if (video.playbackRate !== rate) video.playbackRate = rate;
    if (video.paused) void video.play().catch(unheard);
    write(behind, texts.timeline.tail.behind(Math.max(0, api.now() - shown) / 1000));
    write(at, clockTenths(shown));
  }

  // A page that nobody has pressed anything in may play, if nothing is heard.
  function unheard(/** @type {Error} */ error) {
    if (error.name === 'NotAllowedError') hushed = video.muted = true;
    else if (error.name !== 'AbortError') throw error;
  }

  function drawSound() {
    const { muted } = video;
    hushed &&= muted;
    set(mute, { 'aria-pressed': String(muted) });
    fill(mute, icon(muted ? 'muted' : 'sound'));
  }
}

/**
 * @param {HTMLElement} element
 * @param {string} text
 */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
