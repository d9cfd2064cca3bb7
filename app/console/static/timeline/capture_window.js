// What of the clock a capture asks for, and what of it there is. Pure; instants and lengths are in ms.

import { LEAST_MS } from './selection.js';

/** @import { Stretch } from './film_clock.js' */

/**
 * {start, end, roll, more} of a capture of `selection` {start, end, open, most}.
 *
 * `roll` is how much is to come after the end, as it was typed, at most `mostRoll`; `more` is what of
 * the clip lies after `end`, and is still to come. With that it can be longer than a clip may be: then
 * it starts later than the selection. An open selection reaches to `now`, of which `newest` is there.
 *
 * @param {{start: number, end: number, open: boolean, most: number}} selection
 * @param {{newest: number, now: number, roll: number, mostRoll: number}} asked
 */
export function captureWindow(selection, { newest, now, roll: typed, mostRoll }) {
  const { open, most } = selection;
  const roll = Math.min(Math.max(0, typed), mostRoll);
  // The end of what is there lies in the past whatever the clocks say.
  const end = open ? Math.round(newest) : selection.end;
  const behind = open ? Math.max(0, Math.round(now - end)) : 0;
  const more = Math.min(roll + behind, mostRoll);
  const start = Math.max(selection.start, Math.min(end + more - most, end - LEAST_MS));
  return { start, end, roll, more };
}

/**
 * How much of [start, end) was recorded.
 *
 * @param {Stretch[]} spans
 * @param {Stretch} window
 */
export function recorded(spans, { start, end }) {
  const parts = spans.map((span) => Math.min(span.end, end) - Math.max(span.start, start));
  return parts.reduce((sum, part) => sum + Math.max(0, part), 0);
}
