// How far behind now the newest moment is, and the offer to wait for this one.

import { h, set } from '../dom.js';
import { dayAndTime, time } from '../times.js';
import { texts } from '../texts.js';

/** @import { Desk } from './buffer.js' */

const t = texts.timeline.tail;
const TICK_MS = 500;

/** {element, close()}. @param {Desk} desk */
export function tail({ buffer, selection, api, session }) {
  const says = h('span', { class: 'behind' });
  const include = h('button', { type: 'button', onclick: toggle }, t.include);
  const element = h('div', { class: 'row tail' }, says, include);
  const timer = setInterval(show, TICK_MS);
  selection.addEventListener('change', show);
  buffer.addEventListener('change', show);
  show();
  return { element, close: () => clearInterval(timer) };

  function show() {
    const { told } = buffer;
    if (told.ended_at) {
      if (!says.querySelector('time')) says.replaceChildren(t.ended, ' ', time(told.ended_at, dayAndTime));
    } else {
      const behind = Math.max(0, api.now() - buffer.extent.newest) / 1000;
      says.textContent = t.behind(behind);
      include.disabled = behind > session.facts.limits.post_roll_seconds; // it can't be waited for
    }
    include.hidden = !buffer.goesOn;
    set(include, { 'aria-pressed': String(selection.open), title: t.includeExplain });
  }

  function toggle() {
    selection.choose(selection.start, selection.open ? selection.end : buffer.extent.newest, {
      open: !selection.open,
    });
  }
}
