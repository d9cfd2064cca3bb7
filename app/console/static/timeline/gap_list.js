// The gaps of a buffer in words.

import { fill, h } from '../dom.js';
import { clock, length, time } from '../times.js';
import { called, texts } from '../texts.js';

/** @import { Desk } from './buffer.js' */

const t = texts.timeline.gaps;

/** A list that can be opened, where there are any; each leads to where it begins. @param {Desk} desk */
export function gapList({ buffer, axis }) {
  const summary = h('summary', {});
  const list = h('ul', {});
  const element = h('details', { class: 'gap-list' }, summary, list);
  /** @type {string | null} */
  let shown = null;
  const show = () => {
    const known = buffer.gaps.map((gap) => `${gap.start} ${gap.end} ${gap.why}`).join();
    if (known === shown) return;
    shown = known;
    element.hidden = !buffer.gaps.length;
    const seconds = buffer.gaps.reduce((sum, gap) => sum + (gap.end - gap.start) / 1000, 0);
    summary.textContent = t.count(buffer.gaps.length, length(seconds));
    fill(
      list,
      buffer.gaps.map((gap) =>
        h(
          'li',
          {},
          h(
            'button',
            {
              type: 'button',
              class: 'plain',
              onclick: () => axis.showPart(gap.start - 5_000, gap.end + 5_000),
            },
            time(gap.start, clock),
            ' – ',
            time(gap.end, clock),
          ),
          h('span', {}, called(texts.buffers.gaps, gap.why)),
        ),
      ),
    );
  };
  buffer.addEventListener('change', show);
  show();
  return element;
}
