// The selection as times that can be typed.

import { h, set } from '../dom.js';
import { clock, length, utc } from '../times.js';
import { texts } from '../texts.js';

/**
 * @import { Desk } from './buffer.js'
 * @import { Edge } from './selection.js'
 */

const TYPED = /^(\d{1,2})[:.](\d{2})[:.](\d{2})(?:[.,](\d{1,3}))?\s*(?:([ap])\.?m\.?)?$/i;
const HALVES = /[ap]m/i.test(clock(0)); // as the viewer's other times are written
const DAY_MS = 86_400_000;
const t = texts.timeline.fields;

/**
 * A time of day of the viewer's zone, cut to the tenth: 14:03:07.5, or 2:03:07.5 PM.
 *
 * @param {number} instant
 */
export function written(instant) {
  const at = new Date(instant);
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
  const hours = HALVES ? at.getHours() % 12 || 12 : at.getHours();
  const half = HALVES ? (at.getHours() < 12 ? ' AM' : ' PM') : '';
  const tenths = Math.floor(at.getMilliseconds() / 100);
  return `${HALVES ? hours : two(hours)}:${two(at.getMinutes())}:${two(at.getSeconds())}.${tenths}${half}`;
}

/**
 * The instant of a typed time of day, on the day that brings it nearest to `near`; null if it is none.
 *
 * @param {string} text
 * @param {number} near
 */
export function read(text, near) {
  const found = TYPED.exec(text.trim());
  if (!found) return null;
  const [, hours, minutes, seconds, fraction = '0', half] = found;
  let hour = Number(hours);
  if (half && (hour < 1 || hour > 12)) return null;
  if (half) hour = (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
  if (hour > 23 || Number(minutes) > 59 || Number(seconds) > 59) return null;
  const milliseconds = Number(fraction.padEnd(3, '0'));
  const days = [-DAY_MS, 0, DAY_MS].map((by) => {
    const day = new Date(near + by);
    return day.setHours(hour, Number(minutes), Number(seconds), milliseconds);
  });
  return days.reduce((best, one) => (Math.abs(one - near) < Math.abs(best - near) ? one : best));
}

/** Fields for the start and the end, and how long that is. @param {Desk} desk */
export function timeFields({ selection, buffer, axis }) {
  const wrong = h('p', { id: 'times-wrong', class: 'bad-text', role: 'alert', hidden: true });
  const long = h('output', { class: 'long', 'aria-label': t.length });
  const start = field('start');
  const end = field('end');
  /** @type {[Edge, HTMLInputElement][]} */
  const fields = [['start', start], ['end', end]];
  const show = () => {
    tell(null, ''); // what was wrong was of the selection before
    for (const [edge, one] of fields) {
      if (document.activeElement === one && one.dataset.edited) continue;
      one.value = written(selection[edge]);
      one.title = utc(selection[edge]);
    }
    long.textContent = length(selection.length / 1000, { tenths: true });
  };
  selection.addEventListener('change', show);
  show();
  return h(
    'div',
    { class: 'times' },
    h(
      'div',
      { class: 'row' },
      labelled(start, t.start),
      labelled(end, t.end),
      h('span', { class: 'labelled' }, h('span', { class: 'label' }, t.length), long),
    ),
    wrong,
  );

  /** @param {Edge} edge */
  function field(edge) {
    /** @type {HTMLInputElement} */
    const input = h('input', {
      id: `times-${edge}`,
      name: edge,
      type: 'text',
      inputmode: 'text',
      autocomplete: 'off',
      spellcheck: 'false',
      size: 13,
      oninput: () => (input.dataset.edited = 'true'),
      onchange: () => take(edge, input),
      onblur: () => (delete input.dataset.edited, input.ariaInvalid !== 'true' && show()),
    });
    return input;
  }

  /**
   * @param {Edge} edge
   * @param {HTMLInputElement} input
   */
  function take(edge, input) {
    delete input.dataset.edited;
    const { oldest, newest } = buffer.extent;
    const instant = read(input.value, (oldest + newest) / 2);
    const problem = whatIsWrong(edge, instant, Math.min(oldest, selection.start), newest);
    tell(input, problem);
    if (problem || instant === null) return;
    if (edge === 'start') selection.moveStart(instant);
    else selection.moveEnd(instant);
    axis.reveal(instant);
    show();
  }

  /**
   * @param {Edge} edge
   * @param {number | null} instant
   * @param {number} oldest
   * @param {number} newest
   */
  function whatIsWrong(edge, instant, oldest, newest) {
    if (instant === null) return t.unreadable(written(selection[edge]));
    if (instant < oldest - 1_000 || instant > newest + 1_000) return t.notHeld(clock(oldest), clock(newest));
    const [from, to] = edge === 'start' ? [instant, selection.end] : [selection.start, instant];
    if (to <= from) return t.order;
    if (to - from > selection.most) return t.tooLong(length(selection.most / 1000));
    return '';
  }

  /**
   * @param {HTMLInputElement | null} input
   * @param {string} problem
   */
  function tell(input, problem) {
    wrong.hidden = !problem;
    wrong.textContent = problem;
    for (const one of [start, end]) {
      const mine = problem && one === input;
      set(one, { 'aria-invalid': mine ? 'true' : null, 'aria-describedby': mine ? wrong.id : null });
    }
  }
}

/**
 * @param {HTMLElement} input
 * @param {string} label
 */
const labelled = (input, label) =>
  h('label', { class: 'labelled' }, h('span', { class: 'label' }, label), input);
