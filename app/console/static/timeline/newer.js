// How much there is beyond the right end of what the timeline shows.

import { h } from '../dom.js';
import { icon } from '../icons.js';
import { texts } from '../texts.js';
import { stretch } from '../times.js';

/** @import { Desk } from './buffer.js' */

/** Stands on the ruler, so that nothing moves when it comes or goes. @param {Desk} desk */
export function newer({ axis, buffer }) {
  const words = h('span', {});
  const go = { type: 'button', class: 'newer', title: texts.timeline.track.toNewest, onclick: () => axis.follow(true) };
  const element = h('button', go, words, icon('next'));
  const show = () => {
    const seconds = Math.round((buffer.extent.newest - axis.to) / 1000);
    element.hidden = seconds <= 0;
    words.textContent = texts.timeline.track.newer(stretch(seconds));
  };
  axis.addEventListener('change', show);
  buffer.addEventListener('change', show);
  show();
  return element;
}
