// What became of the captures of the last days, a line for each: bars, and the same in numbers.

import { fill, h } from '../dom.js';
import { called, texts } from '../texts.js';
import { row, table } from '../lists/table.js';

/** @import { OutcomesView } from '../../types.js' */

const own = texts.admin.instance.captures;
const dayFormat = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short' });

export class CapturesByDay {
  #table = table(own.title, own.columns);
  #nothing = h('p', { class: 'empty' }, own.nothing);
  element = h('div', {}, this.#table.element, this.#nothing);

  constructor() {
    this.show([]);
  }

  /** @param {OutcomesView[]} hours */
  show(hours) {
    const days = byDay(hours);
    const most = Math.max(1, ...days.map((day) => day.ready + day.failed + day.cancelled));
    const bar = (/** @type {number} */ count, tone = '') => {
      const part = h('span', { class: `amount ${tone}`, 'aria-hidden': 'true' });
      part.style.width = `${(count / most) * 100}%`;
      return [String(count), part];
    };
    this.#table.element.hidden = !days.length;
    this.#nothing.hidden = days.length > 0;
    fill(
      this.#table.body,
      days.map((day) =>
        row(this.#table, [
          dayFormat.format(day.at),
          bar(day.ready),
          bar(day.failed, 'bad'),
          [...day.failures].map(([reason, count]) => h('div', {}, own.cause(count, called(texts.timeline.failures, reason) ?? reason))),
          String(day.cancelled),
        ]),
      ),
    );
  }
}

/**
 * @typedef {{at: Date, ready: number, failed: number, cancelled: number, failures: Map<string, number>}} Day
 */

/**
 * Hours added up to days of the viewer's clock, the newest first; causes by how often they were.
 *
 * @param {OutcomesView[]} hours
 */
export function byDay(hours) {
  /** @type {Map<string, Day>} */
  const days = new Map();
  for (const hour of hours) {
    const at = new Date(hour.at);
    const key = at.toDateString();
    const day = days.get(key) ?? { at, ready: 0, failed: 0, cancelled: 0, failures: new Map() };
    days.set(key, day);
    day.ready += hour.ready;
    day.failed += hour.failed;
    day.cancelled += hour.cancelled;
    for (const { reason, count } of hour.failures) day.failures.set(reason, (day.failures.get(reason) ?? 0) + count);
  }
  for (const day of days.values()) day.failures = new Map([...day.failures].sort(([, a], [, b]) => b - a));
  return [...days.values()].reverse();
}
