// Stretches that are chosen at a press: so many minutes back, or since the last clip.

import { h } from '../dom.js';
import { clock } from '../times.js';
import { tell, tellProblem } from '../telling.js';
import { texts } from '../texts.js';

/**
 * @import { ClipPage } from '../../types.js'
 * @import { Desk } from './buffer.js'
 */

const SECONDS = [30, 60, 120, 300, 600];
const t = texts.timeline.presets;

/** {element, press(number)}: `number` counts the presets from 1. @param {Desk} desk */
export function presets({ api, session, selection, buffer, axis }) {
  const offered = SECONDS.filter((seconds) => seconds * 1000 <= selection.most);
  const back = (/** @type {number} */ seconds) => {
    const { newest } = buffer.extent;
    choose(newest - seconds * 1000, newest);
  };
  const element = h(
    'div',
    { class: 'row presets', role: 'group', 'aria-label': t.label },
    offered.map((seconds, place) =>
      h(
        'button',
        {
          type: 'button',
          'aria-label': t.back(t.short(seconds)),
          'aria-keyshortcuts': String(place + 1),
          onclick: () => back(seconds),
        },
        t.short(seconds),
      ),
    ),
    h('button', { type: 'button', onclick: () => void sinceLastClip() }, t.sinceLastClip),
  );
  const press = (/** @type {number} */ number) => {
    if (number <= offered.length) back(offered[number - 1]);
  };
  return { element, press };

  /**
   * @param {number} start
   * @param {number} end
   */
  function choose(start, end) {
    selection.choose(start, end);
    if (!axis.shows(selection.start) || !axis.shows(selection.end))
      axis.showPart(selection.start, selection.end);
  }

  async function sinceLastClip() {
    try {
      const last = await lastClipsEnd();
      const { oldest, newest } = buffer.extent;
      if (last === null) return void tell(t.noClip);
      if (last >= newest) return void tell(t.nothingSince(clock(last)));
      if (last < oldest) tell(t.longAgo(clock(last)));
      else if (newest - last > selection.most) tell(t.tooLong);
      choose(last, newest);
    } catch (error) {
      tellProblem(error);
    }
  }

  // Of this share alone: another one in the same room, whosever, is another story.
  async function lastClipsEnd() {
    const { id, room, started_at: since } = buffer.told;
    const query = { room, owner: session.facts.identity, since, limit: 200 };
    /** @type {ClipPage} */
    const { items } = await api.get('/clips', query);
    const ends = items
      .filter((clip) => clip.buffer_id === id)
      .map((clip) => Date.parse(clip.delivered.end));
    return ends.length ? Math.max(...ends) : null;
  }
}
