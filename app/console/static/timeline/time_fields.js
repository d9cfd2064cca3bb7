// The selection as times that can be typed.

import { h, set } from '../dom.js';
import { clock, length, utc } from '../times.js';
import { texts } from '../texts.js';

const TYPED = /^(\d{1,2})[:.](\d{2})[:.](\d{2})(?:[.,](\d{1,3}))?\s*(?:([ap])\.?m\.?)?$/i;
const HALVES = /[ap]m/i.test(clock(0)); // as the viewer's other times are written
const DAY_MS = 86_400_000;
const t = texts.timeline.fields;

/** A time of day of the viewer's zone, cut to the tenth: 14:03:07.5, or 02:03:07.5 PM. */
export function written(instant) {
  const at = new Date(instant);
  const two = (number) => String(number).padStart(2, '0');
  const hours = HALVES ? at.getHours() % 12 || 12 : at.getHours();
  const half = HALVES ? (at.getHours() < 12 ? ' AM' : ' PM') : '';
  const tenths = Math.floor(at.getMilliseconds() / 100);
  return `${two(hours)}:${two(at.getMinutes())}:${two(at.getSeconds())}.${tenths}${half}`;
}

/** The instant of a typed time of day, on the day that brings it nearest to `near`; null if it is none. */
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

/** Fields for the start and the end, and how long that is. */
export function timeFields({ selection, buffer, axis }) {
  const wrong = h('p', { id: 'times-wrong', class: 'bad-text', role: 'alert', hidden: true });
  const long = h('output', { class: 'long', 'aria-label': t.length });
  const start = field('start', t.start);
  const end = field('end', t.end);
  const show = () => {
    tell(null, ''); // what was wrong was of the selection before
    for (const one of [start, end]) {
      if (document.activeElement === one && one.dataset.edited) continue;
      one.value = written(selection[one.name]);
      one.title = utc(selection[one.name]);
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

  function field(name) {
    return h('input', {
      id: `times-${name}`,
      name,
      type: 'text',
      inputmode: 'text',
      autocomplete: 'off',
      spellcheck: 'false',
      size: 13,
      oninput: (event) => (event.target.dataset.edited = 'true'),
      onchange: (event) => take(event.target),
      onblur: (event) => (delete event.target.dataset.edited, event.target.ariaInvalid !== 'true' && show()),
    });
  }

  function take(input) {
    delete input.dataset.edited;
    const { oldest, newest } = buffer.extent;
    const instant = read(input.value, (oldest + newest) / 2);
    const problem = whatIsWrong(input.name, instant, Math.min(oldest, selection.start), newest);
    tell(input, problem);
    if (problem) return;
    if (input.name === 'start') selection.moveStart(instant);
    else selection.moveEnd(instant);
    axis.reveal(instant);
    show();
  }

  function whatIsWrong(name, instant, oldest, newest) {
    if (instant === null) return t.unreadable(written(selection[name]));
    if (instant < oldest - 1_000 || instant > newest + 1_000) return t.notHeld(clock(oldest), clock(newest));
    const [from, to] = name === 'start' ? [instant, selection.end] : [selection.start, instant];
    if (to <= from) return t.order;
    if (to - from > selection.most) return t.tooLong(length(selection.most / 1000));
    return '';
  }

  function tell(input, problem) {
    wrong.hidden = !problem;
    wrong.textContent = problem;
    for (const one of [start, end]) {
      const mine = problem && one === input;
      set(one, { 'aria-invalid': mine ? 'true' : null, 'aria-describedby': mine ? wrong.id : null });
    }
  }
}

const labelled = (input, label) =>
  h('label', { class: 'labelled' }, h('span', { class: 'label' }, label), input);
