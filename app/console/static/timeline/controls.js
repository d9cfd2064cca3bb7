// What the film is played with: buttons, the time, volume, speed.

import { fill, h, set } from '../dom.js';
import { icon } from '../icons.js';
import { before, clockTenths, length, utc } from '../times.js';
import { texts } from '../texts.js';
import { copyFrame, toggleFull, toggleInset } from './frame.js';

/**
 * @import { Attributes } from '../dom.js'
 * @import { Icon } from '../icons.js'
 * @import { Player } from './player.js'
 */

const t = texts.timeline.player;
const RATES = [0.25, 0.5, 1, 1.5, 2, 4];

/** The bar of a Player. @param {Player} player */
export function controls(player) {
  const { video } = player;
  /**
   * @param {string} label
   * @param {Icon} sign
   * @param {() => void} act
   * @param {Attributes} more
   */
  const button = (label, sign, act, more = {}) =>
    h(
      'button',
      { type: 'button', class: 'icon', 'aria-label': label, title: label, onclick: act, ...more },
      icon(sign),
    );
  const play = button(t.play, 'play', () => player.toggle(), { class: 'icon primary' });
  const loop = button(t.loop, 'loop', () => player.setLoop(!player.loop), { 'data-rare': true });
  const mute = button(t.mute, 'sound', () => (video.muted = !video.muted));
  const now = h('output', { class: 'now', 'aria-label': t.now });
  const within = h('span', { class: 'within soft' });
  /** @type {HTMLInputElement} */
  const volume = h('input', {
    type: 'range',
    min: 0,
    max: 1,
    step: 0.05,
    value: video.volume,
    'aria-label': t.volume,
    class: 'volume',
    oninput: () => Object.assign(video, { volume: Number(volume.value), muted: false }),
  });
  /** @type {HTMLSelectElement} */
  const rate = h(
    'select',
    {
      'aria-label': t.rate,
      onchange: () => (video.playbackRate = video.defaultPlaybackRate = Number(rate.value)),
    },
    RATES.map((one) => h('option', { value: one, selected: one === 1 }, t.times(one))),
  );
  const element = h(
    'div',
    { class: 'controls', role: 'group', 'aria-label': t.controls },
    h(
      'div',
      { class: 'row' },
      button(t.back, 'back', () => void player.step(-1)),
      play,
      button(t.on, 'next', () => void player.step(1)),
      loop,
    ),
    h('div', { class: 'time' }, now, within),
    h(
      'div',
      { class: 'row' },
      mute,
      volume,
      rate,
      button(t.frame, 'frame', () => void copyFrame(player), { 'data-rare': true }),
      document.pictureInPictureEnabled &&
        button(t.inset, 'inset', () => toggleInset(player), { 'aria-keyshortcuts': 'p', 'data-rare': true }),
      button(t.full, 'full', () => toggleFull(player), { 'aria-keyshortcuts': 'f' }),
    ),
  );

  const showTime = () => {
    const instant = player.instant;
    const { newest } = player.buffer.extent;
    const shown = before((newest - instant) / 1000, { tenths: true });
    if (now.textContent !== shown) now.textContent = shown;
    const exactly = `${clockTenths(instant)}, ${utc(instant)}`;
    if (now.title !== exactly) now.title = exactly;
    const { start, end } = player.selection;
    const place = player.looking
      ? t.outside
      : t.within(
          length((instant - start) / 1000, { tenths: true }),
          length((end - start) / 1000, { tenths: true }),
        );
    if (within.textContent !== place) within.textContent = place;
  };
  const showState = () => {
    const paused = player.paused;
    set(play, { 'aria-label': paused ? t.play : t.pause, title: paused ? t.play : t.pause });
    draw(play, paused ? 'play' : 'pause');
    draw(mute, video.muted ? 'muted' : 'sound');
    set(loop, { 'aria-pressed': String(player.loop) });
    set(mute, { 'aria-pressed': String(video.muted) });
    if (document.activeElement !== volume) volume.value = String(video.muted ? 0 : video.volume);
  };
  player.addEventListener('time', showTime);
  player.addEventListener('state', () => (showState(), showTime()));
  showState();
  showTime();
  return element;
}

/**
 * @param {HTMLElement} button
 * @param {Icon} sign
 */
function draw(button, sign) {
  if (button.firstElementChild?.getAttribute('data-icon') !== sign) fill(button, icon(sign));
}
