// What all screens are played with: one button, one clock, a lane for each share.

import { fill, h, set } from '../dom.js';
import { icon } from '../icons.js';
import { called, texts } from '../texts.js';
import { before, clockTenths, utc } from '../times.js';

/**
 * @import { Stretch } from '../timeline/film_clock.js'
 * @import { Screen } from './screen.js'
 * @import { StepClock } from './step.js'
 */

const t = texts.together;
const player = texts.timeline.player;
const RATES = [0.5, 1, 1.5, 2];
const STEP_MS = 100;
const MOVES = { ArrowLeft: -1_000, ArrowDown: -1_000, ArrowRight: 1_000, ArrowUp: 1_000 };

/**
 * {element, show(chosen), drawLanes()}: `show` draws the clock as it is, and which stretch would be
 * captured, `drawLanes` what there is of the `screens`, which may be others then.
 *
 * @param {StepClock} clock
 * @param {Screen[]} screens
 */
export function bar(clock, screens) {
  const play = h('button', { type: 'button', class: 'icon primary', onclick: () => clock.toggle() });
  const now = h('output', { class: 'now', 'aria-label': player.now });
  const at = h('span', { class: 'within' });
  /** @type {HTMLSelectElement} */
  const rate = h(
    'select',
    { 'aria-label': player.rate, onchange: () => (clock.rate = Number(rate.value)) },
    RATES.map((one) => h('option', { value: one, selected: one === 1 }, player.times(one))),
  );
  /** @type {HTMLInputElement} */
  const seek = h('input', {
    type: 'range',
    class: 'seek',
    min: 0,
    max: clock.end - clock.start,
    step: STEP_MS,
    'aria-label': t.seek,
    onkeydown: move,
    oninput: () => clock.seek(clock.start + Number(seek.value)),
  });
  const chosen = h('div', { class: 'chosen-part' });
  const head = h('div', { class: 'head-line' });
  const over = h('div', { class: 'over' }, chosen, head);
  const rows = h('div', { class: 'rows', 'aria-hidden': 'true' });
  const element = h(
    'div',
    { class: 'playing' },
    h('div', { class: 'row head' }, play, h('div', { class: 'time' }, now, at), rate),
    h(
      'div',
      { class: 'lanes' },
      seek,
      rows,
    ),
  );
  let isPlaying = /** @type {boolean | null} */ (null);
  drawLanes();
  return { element, show, drawLanes };

  function drawLanes() {
    const span = (/** @type {Stretch} */ part) => put(h('div', { class: 'span' }), part);
    const gap = (/** @type {Stretch & {why: string}} */ part) =>
      put(h('div', { class: 'gap', title: called(texts.buffers.gaps, part.why) }), part);
    const lanes = screens.map(({ told, spans, gaps }) => [
      h('span', { class: 'who', title: told.sharer }, h('bdi', {}, told.sharer)),
      h('div', { class: 'lane' }, h('div', { class: 'parts' }, spans.map(span), gaps.map(gap))),
    ]);
    fill(rows, lanes, over);
  }

  /** By as much as everywhere on the page. @param {KeyboardEvent} event */
  function move(event) {
    const by = called(MOVES, event.key);
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    clock.seek(clock.instant + by * (event.shiftKey ? 10 : 1));
  }

  /** @param {Stretch} part */
  function show(part) {
    const { instant } = clock;
    put(chosen, part);
    put(head, { start: instant, end: instant });
    seek.max = String(clock.end - clock.start);
    seek.value = String(instant - clock.start);
    const shown = before((clock.end - instant) / 1000, { tenths: true });
    write(now, shown);
    write(at, clockTenths(instant));
    set(at, { title: utc(instant) });
    set(seek, { 'aria-valuetext': `${shown}, ${clockTenths(instant)}` });
    if (isPlaying === clock.playing) return;
    isPlaying = clock.playing;
    const label = isPlaying ? player.pause : player.play;
    set(play, { 'aria-label': label, title: label });
    fill(play, icon(isPlaying ? 'pause' : 'play'));
  }

  /**
   * @param {HTMLElement} part
   * @param {Stretch} stretch
   */
  function put(part, { start, end }) {
    const place = (/** @type {number} */ instant) =>
      Math.max(0, Math.min(1, (instant - clock.start) / (clock.end - clock.start)));
    part.style.left = `${place(start) * 100}%`;
    part.style.width = `${(place(end) - place(start)) * 100}%`;
    return part;
  }
}

/**
 * @param {HTMLElement} element
 * @param {string} text
 */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
