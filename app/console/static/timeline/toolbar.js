// How much of the timeline is shown, and whether it follows the newest moment.

import { h, set } from '../dom.js';
import { icon } from '../icons.js';
import { texts } from '../texts.js';

/**
 * @import { Icon } from '../icons.js'
 * @import { Desk } from './buffer.js'
 */

const t = texts.timeline.toolbar;

/** Buttons for an Axis. @param {Desk} desk */
export function toolbar({ axis, selection, buffer }) {
  /**
   * @param {string} label
   * @param {Icon} sign
   * @param {() => void} act
   */
  const button = (label, sign, act) =>
    h('button', { type: 'button', class: 'icon', 'aria-label': label, title: label, onclick: act }, icon(sign));
  const follow = h(
    'button',
    { type: 'button', class: 'follow', title: t.followExplain, onclick: () => axis.follow(!axis.following) },
    h('span', { class: 'dot', 'aria-hidden': 'true' }),
    t.follow,
  );
  const show = () => {
    follow.hidden = !buffer.goesOn;
    set(follow, { 'aria-pressed': String(axis.following) });
  };
  axis.addEventListener('change', show);
  buffer.addEventListener('change', show);
  show();
  return h(
    'div',
    { class: 'row toolbar', role: 'group', 'aria-label': t.label },
    follow,
    button(t.out, 'minus', () => axis.zoom(2, middle())),
    button(t.in, 'plus', () => axis.zoom(0.5, middle())),
    h(
      'button',
      { type: 'button', onclick: () => axis.showPart(selection.start, selection.end) },
      t.selection,
    ),
    h('button', { type: 'button', onclick: () => axis.showAll() }, t.all),
  );

  // What is chosen stays in sight, if it is.
  function middle() {
    const at = (selection.start + selection.end) / 2;
    return axis.shows(at) ? at : undefined;
  }
}
