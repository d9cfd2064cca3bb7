// How loud the buffer's sound is, as it is drawn below its pictures.

import { Gathered, windowOf } from './gathered.js';

/**
 * @import { WaveformView } from '../../types.js'
 * @import { Axis } from './axis.js'
 * @import { Stretch } from './film_clock.js'
 * @import { WatchedBuffer } from './watched.js'
 * @typedef {Stretch & {level: number}} SoundPart on the wall clock; decibels above -100 dBFS
 */

const LEAD_MS = 500; // a part that lies partly before what is asked for was not told before, either
const [FAINTEST, LOUDEST] = [40, 100]; // what is fainter is not drawn
const COLUMNS = 600;

/** Where a path of `outline` lies: x from 0 to COLUMNS, y 1 above and below the middle. */
export const VIEW_BOX = `0 -1 ${COLUMNS} 2`;

/**
 * The sound of a WatchedBuffer.
 *
 * @extends {Gathered<SoundPart>}
 */
export class Waveform extends Gathered {
  /** @type {SoundPart[]} */
  parts = []; // in order
  heard = false; // whether any of it can be

  /**
   * @param {WatchedBuffer} buffer
   * @param {number} most the longest stretch that can be asked for at once, in ms
   */
  constructor(buffer, most) {
    super(buffer, most - LEAD_MS, (from, to) => soundOf(buffer, from, to));
    this.addEventListener('change', () => {
      this.parts = this.pieces.flatMap((piece) => piece.parts).sort((a, b) => a.start - b.start);
      this.heard = isHeard(this.parts);
    });
  }

  /** Asks for what is not there yet, of a buffer that has sound. @override */
  async keepUp() {
    if (this.buffer.spans.some((span) => span.audio)) await super.keepUp();
  }
}

/**
 * @param {WatchedBuffer} buffer
 * @param {number} from
 * @param {number} to
 */
async function soundOf(buffer, from, to) {
  const path = `/buffers/${encodeURIComponent(buffer.id)}/waveform`;
  /** @type {WaveformView} */
  const told = await buffer.api.get(path, windowOf(from - LEAD_MS, to));
  return partsOf(told).filter((part) => part.end > from);
}

/** @param {WaveformView} told @returns {SoundPart[]} */
export function partsOf({ stretches }) {
  return stretches.flatMap(({ start, end, levels }) => {
    const begin = Date.parse(start);
    const each = (Date.parse(end) - begin) / levels.length;
    return levels.map((level, place) => ({ start: begin + place * each, end: begin + (place + 1) * each, level }));
  });
}

/** Whether any of it can be heard. @param {SoundPart[]} parts */
export const isHeard = (parts) => parts.some((part) => part.level > FAINTEST);

/**
 * What of the sound an axis shows, as the data of a path; empty where nothing is heard.
 *
 * @param {SoundPart[]} parts in order
 * @param {Pick<Axis, 'place' | 'from' | 'to'>} axis
 */
export function outline(parts, axis) {
  const heights = new Float32Array(COLUMNS);
  for (let at = firstAfter(parts, axis.from); at < parts.length && parts[at].start < axis.to; at += 1) {
    const { start, end, level } = parts[at];
    const height = (level - FAINTEST) / (LOUDEST - FAINTEST);
    if (height <= 0) continue;
    const first = Math.max(0, Math.floor(axis.place(start) * COLUMNS));
    const until = Math.min(COLUMNS, Math.ceil(axis.place(end) * COLUMNS));
    for (let column = first; column < until; column += 1) heights[column] = Math.max(heights[column], height);
  }
  let path = '';
  for (let first = 0, until = 0; first < COLUMNS; first = until) {
    while (until < COLUMNS && heights[until] === heights[first]) until += 1;
    const height = heights[first].toFixed(2);
    if (heights[first]) path += `M${first}-${height}H${until}V${height}H${first}z`;
  }
  return path;
}

/**
 * The place of the first part that ends after an instant. There are thousands, and they are drawn with
 * each move of the axis.
 *
 * @param {SoundPart[]} parts in order
 * @param {number} instant
 */
function firstAfter(parts, instant) {
  let [low, high] = [0, parts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (parts[middle].end > instant) high = middle;
    else low = middle + 1;
  }
  return low;
}
