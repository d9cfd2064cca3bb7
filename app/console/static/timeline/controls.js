// What the film is played with: buttons, the time, volume, speed.

import { h, set } from '../dom.js';
import { clockTenths, length, utc } from '../times.js';
import { texts } from '../texts.js';

/**
 * @import { Attributes } from '../dom.js'
 * @import { Player } from './player.js'
 */

const t = texts.timeline.player;
const RATES = [0.25, 0.5, 1, 1.5, 2, 4];

/** The bar of a Player. @param {Player} player */
export function controls(player) {
  const { video } = player;
  /**
   * @param {string} label
   * @param {string} sign
   * @param {() => void} act
   * @param {Attributes} more
   */
  const button = (label, sign, act, more = {}) =>
    h(
      'button',
      { type: 'button', class: 'icon', 'aria-label': label, title: label, onclick: act, ...more },
      sign,
    );
  const play = button(t.play, '▶', () => player.toggle(), { class: 'icon primary' });
  const loop = button(t.loop, '⟳', () => player.setLoop(!player.loop));
  const mute = button(t.mute, '♪', () => (video.muted = !video.muted));
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
      button(t.back, '‹', () => void player.step(-1)),
      play,
      button(t.on, '›', () => void player.step(1)),
      loop,
    ),
    h('div', { class: 'time' }, now, within),
    h('div', { class: 'row' }, mute, volume, rate),
  );

  const showTime = () => {
    const instant = player.instant;
    const shown = clockTenths(instant);
    if (now.textContent !== shown) {
      now.textContent = shown;
      now.title = utc(instant);
    }
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
    play.textContent = paused ? '▶' : '❚❚';
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
