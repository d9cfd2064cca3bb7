// One quantity over time, drawn as SVG: axes with units, values at the pointer and at the keyboard,
// and the same as a table.

import { fill, h } from '../dom.js';
import { clock, dayAndTime } from '../times.js';
import { texts } from '../texts.js';
import { DAY_MS, roundInstants, roundValues } from './scale.js';
import { row, table } from '../lists/table.js';

/**
 * What was measured, at an instant in ms; null where nothing was.
 * @typedef {{at: number, value: number | null}} Point
 * @typedef {{at: number, value: number}} Measured
 */

const own = texts.admin.plot;
const HEIGHT = 150;
const LEFT = 64;
const RIGHT = 12;
const TOP = 8;
const BOTTOM = 22;
const HALF_A_TIME = 32;
const TABLE_ROWS = 30;
const hourAndMinute = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric' });

export class Plot {
  /** @type {Point[]} */
  #points = [];
  /** @type {number | null} */
  #place = null; // of the point that is pointed at
  #width = 0;
  #step = 0;
  #svg = svg('svg', { height: HEIGHT, tabindex: 0, role: 'slider', 'aria-valuemin': 0 });
  #line = svg('g', {});
  #cursor = svg('g', { class: 'cursor' });
  #value = h('span', { class: 'value' });
  #summary = h('p', { class: 'hint' });
  #rows = table('', [own.at, own.value]);
  #sized = new ResizeObserver(([{ contentRect }]) => this.#resize(contentRect.width));

  /**
   * `name` of the quantity, `say(value)` a value in words with its unit.
   *
   * @param {string} name
   * @param {(value: number) => string} say
   */
  constructor(name, say) {
    this.say = say;
    this.#svg.setAttribute('aria-label', name);
    this.#svg.append(this.#line, this.#cursor);
    this.#svg.addEventListener('pointermove', (event) => this.#pointed(event));
    this.#svg.addEventListener('pointerleave', () => this.#show(null));
    this.#svg.addEventListener('focus', () => this.#show(this.#place ?? this.#points.length - 1));
    this.#svg.addEventListener('blur', () => this.#show(null));
    this.#svg.addEventListener('keydown', (event) => this.#pressed(event));
    const as = h('details', {}, h('summary', {}, own.asTable), this.#rows.element);
    as.addEventListener('toggle', () => this.#fillTable());
    this.details = as;
    const heading = h('div', { class: 'row' }, h('h3', {}, name), this.#value);
    this.element = h(
      'figure',
      { class: 'plot card' },
      heading,
      this.#svg,
      h('figcaption', {}, this.#summary, as),
    );
    this.#rows.element.querySelector('table')?.setAttribute('aria-label', name);
    this.#rows.element.setAttribute('tabindex', '0'); // it scrolls, and holds nothing else to stop at
    this.#sized.observe(this.element);
  }

  close() {
    this.#sized.disconnect();
  }

  /**
   * `points`, oldest first; `step` seconds between two where none is missing.
   *
   * @param {Point[]} points
   * @param {number} step
   */
  show(points, step) {
    const chosen = this.#place === null ? null : this.#points[this.#place]?.at;
    this.#points = points;
    this.#step = step * 1000;
    this.#draw();
    const again = chosen === null ? -1 : points.findIndex((point) => point.at === chosen);
    this.#show(again < 0 ? null : again);
    this.#summarize();
    this.#fillTable();
  }

  /** @param {number} width */
  #resize(width) {
    const inner = Math.floor(width);
    if (inner === this.#width || inner <= LEFT) return;
    this.#width = inner;
    this.#svg.setAttribute('width', String(inner));
    this.#svg.setAttribute('viewBox', `0 0 ${inner} ${HEIGHT}`);
    this.#draw();
    this.#show(this.#place);
  }

  #x = (/** @type {number} */ at) => {
    const [from, to] = this.#span;
    return LEFT + ((at - from) / (to - from || 1)) * (this.#width - LEFT - RIGHT);
  };

  #y = (/** @type {number} */ value) => TOP + (1 - value / this.#most) * (HEIGHT - TOP - BOTTOM);

  #draw() {
    if (!this.#width || !this.#points.length) return this.#line.replaceChildren();
    const [from, to] = [this.#points[0].at, this.#points[this.#points.length - 1].at];
    this.#span = [from, to];
    const values = roundValues(Math.max(0, ...this.#points.map((point) => point.value ?? 0)), 3);
    this.#most = values[values.length - 1];
    const floor = this.#y(0);
    const right = this.#width - RIGHT;
    const parts = this.#runs().map((run) => {
      const line = run
        .map(({ at, value }) => `${this.#x(at).toFixed(1)},${this.#y(value).toFixed(1)}`)
        .join(' ');
      const [first, last] = [this.#x(run[0].at), this.#x(run[run.length - 1].at)].map((x) => x.toFixed(1));
      return [
        svg('polygon', { class: 'area', points: `${first},${floor} ${line} ${last},${floor}` }),
        svg('polyline', { class: 'line', points: line }),
      ];
    });
    this.#line.replaceChildren(
      ...this.#told(values).flatMap((value) => [
        svg('line', { class: 'grid', x1: LEFT, x2: right, y1: this.#y(value), y2: this.#y(value) }),
        svg('text', { x: LEFT - 6, y: this.#y(value) + 4, 'text-anchor': 'end' }, this.say(value)),
      ]),
      ...roundInstants(from, to, Math.max(2, (right - LEFT) / 90), zoneAt(to)).map((at) => {
        const x = this.#x(at);
        const anchor = x > right - HALF_A_TIME ? 'end' : 'middle'; // it would be cut off at the edge
        return svg('text', { x, y: HEIGHT - 5, 'text-anchor': anchor }, (to - from > 2 * DAY_MS ? weekday : hourAndMinute).format(at));
      }),
      ...parts.flat(),
    );
  }

  /** An instant in words: with its day, where there are several. @param {number} at */
  #when(at) {
    return this.#span[1] - this.#span[0] > DAY_MS / 2 ? dayAndTime(at) : clock(at);
  }

  /**
   * Those whose words differ: of bytes, a half is none.
   *
   * @param {number[]} values
   */
  #told(values) {
    return values.filter((value, place) => !place || this.say(value) !== this.say(values[place - 1]));
  }

  #span = [0, 1];
  #most = 1;

  get #measured() {
    return this.#points.flatMap(({ at, value }) => (value === null ? [] : [{ at, value }]));
  }

  /** The points as stretches in which none is missing. */
  #runs() {
    /** @type {Measured[][]} */
    const runs = [];
    for (const point of this.#measured) {
      const run = runs.at(-1);
      const before = run?.at(-1)?.at ?? -Infinity;
      if (run && point.at - before <= 2.5 * this.#step) run.push(point);
      else runs.push([point]);
    }
    return runs;
  }

  /** @param {PointerEvent} event */
  #pointed(event) {
    if (!this.#points.length) return;
    const x = event.clientX - this.#svg.getBoundingClientRect().left;
    const far = (/** @type {Point} */ point) => Math.abs(this.#x(point.at) - x);
    this.#show(
      this.#points.reduce((best, point, place) => (far(point) < far(this.#points[best]) ? place : best), 0),
    );
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const last = this.#points.length - 1;
    const place = this.#place ?? last;
    const page = Math.max(1, Math.round(last / 10));
    /** @type {Record<string, number>} */
    const moves = {
      ArrowLeft: -1,
      ArrowDown: -1,
      ArrowRight: 1,
      ArrowUp: 1,
      PageDown: -page,
      PageUp: page,
      Home: -last,
      End: last,
    };
    if (!(event.key in moves) || last < 0) return;
    event.preventDefault();
    this.#show(Math.min(last, Math.max(0, place + moves[event.key])));
  }

  /** @param {number | null} place */
  #show(place) {
    this.#place = place;
    const point = place === null ? this.#points.at(-1) : this.#points[place];
    const words = point ? this.#words(point) : '';
    this.#value.textContent = words;
    const last = Math.max(0, this.#points.length - 1);
    this.#svg.setAttribute('aria-valuemax', String(last));
    this.#svg.setAttribute('aria-valuenow', String(place ?? last));
    this.#svg.setAttribute('aria-valuetext', words || own.nothing);
    if (place === null || !point || !this.#width) return this.#cursor.replaceChildren();
    const x = this.#x(point.at);
    this.#cursor.replaceChildren(
      svg('line', { x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM }),
      ...(point.value === null ? [] : [svg('circle', { cx: x, cy: this.#y(point.value), r: 4 })]),
    );
  }

  /** @param {Point} point */
  #words(point) {
    return own.valueAt(this.#when(point.at), point.value === null ? own.notMeasured : this.say(point.value));
  }

  #summarize() {
    const by = this.#measured.sort((a, b) => a.value - b.value);
    if (!by.length) return void (this.#summary.textContent = own.nothing);
    const [least, most] = [by[0], by[by.length - 1]];
    this.#summary.textContent = own.summary(
      this.say(least.value),
      this.#when(least.at),
      this.say(most.value),
      this.#when(most.at),
    );
  }

  #fillTable() {
    if (!this.details.open) return;
    const every = Math.ceil(this.#points.length / TABLE_ROWS);
    const shown = this.#points
      .filter((_, place) => (this.#points.length - 1 - place) % every === 0)
      .reverse();
    fill(
      this.#rows.body,
      shown.map((point) =>
        row(this.#rows, [this.#when(point.at), point.value === null ? own.notMeasured : this.say(point.value)]),
      ),
    );
  }
}

/** How far the viewer's clock is ahead of UTC, in ms. @param {number} at */
const zoneAt = (at) => -new Date(at).getTimezoneOffset() * 60_000;

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} attributes
 * @param {string[]} children
 */
function svg(tag, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}
