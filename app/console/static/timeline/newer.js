// How much there is beyond the right end of what the timeline shows.

import { h } from '../dom.js';
import { texts } from '../texts.js';
import { stretch } from '../times.js';

/** @import { Desk } from './buffer.js' */

/** Stands on the ruler, so that nothing moves when it comes or goes. @param {Desk} desk */
export function newer({ axis, buffer }) {
  const element = h('span', { class: 'note newer' });
  const show = () => {
    const seconds = Math.round((buffer.extent.newest - axis.to) / 1000);
    element.textContent = seconds > 0 ? texts.timeline.track.newer(stretch(seconds)) : '';
  };
  axis.addEventListener('change', show);
  buffer.addEventListener('change', show);
  show();
  return element;
}
