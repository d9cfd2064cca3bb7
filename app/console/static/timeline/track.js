// The timeline as it is seen: pictures, spans, gaps, sessions, markers, the selection, the playhead.

import { fill, h, inNextFrame } from '../dom.js';
import { icon } from '../icons.js';
import { called, texts } from '../texts.js';
import { handle } from './handle.js';
import { paint } from './sprites.js';
import { VIEW_BOX, outline } from './waveform.js';

/**
 * What a strip is of, a buffer or a clip, and how its instants are said.
 * @import { Axis } from './axis.js'
 * @import { Stretch } from './film_clock.js'
 * @import { Player } from './player.js'
 * @import { Selection } from './selection.js'
 * @import { Sprites } from './sprites.js'
 * @import { WatchedBuffer } from './watched.js'
 * @import { Waveform } from './waveform.js'
 * @typedef {{at: (instant: number) => string, tick: (instant: number) => string,
 *   hover: (instant: number) => string}} Words
 * @typedef {{selection: Selection, axis: Axis, words: Words, sprites: EventTarget & Pick<Sprites, 'at'>,
 *   sound: Pick<Waveform, 'parts' | 'heard'> | null,
 *   buffer: Pick<WatchedBuffer, 'extent' | 'spans' | 'gaps' | 'forgotten' | 'markers' | 'gapAt'>,
 *   player: Pick<Player, 'instant' | 'seek' | 'scrub' | 'settle' | 'scrubbing'>
 *     & {stepper: {seconds: number}}}} Strip
 */

const SVG = 'http://www.w3.org/2000/svg';
const TICK_PX = 80;
const LABEL_PX = 44; // what is nearer to the right edge is written before its line
const PICTURE_PX = 104;
const STEPS = [1, 2, 4, 5, 10, 20, 30, 60].map((seconds) => seconds * 1000);
const LONGEST_STEP = 120_000;
const t = texts.timeline.track;

/** The element of a timeline, drawn anew when `desk`'s parts change; what moves it is in gestures.js. */
export class Track {
  /** @param {Strip} desk */
  constructor(desk) {
    this.desk = desk;
    const { selection } = desk;
    this.ruler = h('div', { class: 'ruler', 'aria-hidden': 'true' });
    this.flags = h('div', { class: 'flags', 'aria-hidden': 'true' });
    this.pictures = h('div', { class: 'pictures' });
    this.parts = h('div', { class: 'parts' });
    this.outline = document.createElementNS(SVG, 'path');
    this.sound = h('div', { class: 'sound', title: t.sound, hidden: true }, drawing(this.outline));
    this.before = h('div', { class: 'shade' });
    this.after = h('div', { class: 'shade' });
    this.chosen = h('div', { class: 'chosen' });
    this.playhead = h('div', { class: 'playhead' });
    this.start = handle(desk, 'start', t.start, (instant) => selection.moveStart(instant));
    this.end = handle(desk, 'end', t.end, (instant) => selection.moveEnd(instant));
    const scene = h(
      'div',
      { class: 'scene', 'aria-hidden': 'true' },
      this.pictures,
      this.sound,
      this.parts,
      this.before,
      this.after,
      this.chosen,
      this.playhead,
    );
    this.strip = h('div', { class: 'strip' }, scene, this.start.element, this.end.element);
    this.element = h(
      'div',
      { class: 'track', role: 'group', 'aria-label': t.label },
      this.ruler,
      this.flags,
      this.strip,
    );
    this.drawAll = inNextFrame(() => this.#drawAll());
    this.drawSelection = inNextFrame(() => this.#drawSelection());
    this.drawPlayhead = inNextFrame(() => this.#drawPlayhead());
    this.sizes = new ResizeObserver(() => this.drawAll());
    this.sizes.observe(this.element);
  }

  close() {
    this.sizes.disconnect();
  }

  get width() {
    return this.strip.clientWidth;
  }

  #drawAll() {
    if (!this.width) return;
    this.#drawRuler();
    this.#drawSound(); // where there is some, pictures are less high
    this.#drawPictures();
    this.#drawParts();
    this.#drawFlags();
    this.#drawSelection();
    this.#drawPlayhead();
  }

  #drawRuler() {
    const { axis, words } = this.desk;
    const ticks = axis.ticks(Math.max(2, this.width / TICK_PX));
    const room = LABEL_PX / this.width;
    fill(
      this.ruler,
      ticks.map((at) => {
        const late = axis.place(at) > 1 - room ? 'late' : null;
        return put(h('span', { class: late, title: words.at(at) }, words.tick(at)), axis.place(at));
      }),
    );
  }

  // One picture for each step of the wall clock, so that they move with it, and don't change.
  #drawPictures() {
    const { axis, sprites } = this.desk;
    const least = (axis.length * PICTURE_PX) / this.width;
    const step = STEPS.find((one) => one >= least) ?? LONGEST_STEP;
    const width = (step / axis.length) * this.width;
    const height = this.pictures.clientHeight;
    const shown = [];
    for (let at = Math.floor(axis.from / step) * step; at < axis.to; at += step) {
      const cue = sprites.at(at + step / 2);
      if (!cue) continue;
      const element = put(h('div', {}), axis.place(at), step / axis.length);
      paint(element, cue, width, height);
      shown.push(element);
    }
    fill(this.pictures, shown);
  }

  #drawSound() {
    const { axis, sound } = this.desk;
    this.sound.hidden = !sound?.heard;
    this.strip.classList.toggle('heard', !this.sound.hidden);
    this.outline.setAttribute('d', outline(sound?.parts ?? [], axis));
  }

  #drawParts() {
    const { axis, buffer } = this.desk;
    /**
     * @param {string} kind
     * @param {Stretch} part
     * @param {string | null} words
     */
    const piece = (kind, part, words = null) => {
      const from = Math.max(axis.place(part.start), -0.01);
      const to = Math.min(axis.place(part.end), 1.01);
      return (
        from < to &&
        put(h('div', { class: kind, title: words }, words && h('span', {}, words)), from, to - from)
      );
    };
    fill(
      this.parts,
      buffer.spans.map((span) => piece('span', span)),
      buffer.gaps.map((gap) => piece('gap', gap, called(texts.timeline.gaps.brief, gap.why))),
      buffer.forgotten.map((part) => piece('forgotten', part, t.forgotten)),
      borders(buffer.spans).map(
        (at) => axis.shows(at) && put(h('div', { class: 'border', title: t.border }), axis.place(at)),
      ),
    );
  }

  #drawFlags() {
    const { axis, buffer } = this.desk;
    const shown = buffer.markers.filter((marker) => axis.shows(marker.at));
    fill(
      this.flags,
      shown.map((marker) =>
        put(
          h('div', { class: 'flag', title: marker.label || t.marker, 'data-at': marker.at }, icon('flag')),
          axis.place(marker.at),
        ),
      ),
    );
  }

  #drawSelection() {
    const { axis, selection } = this.desk;
    const [from, to] = [axis.place(selection.start), axis.place(selection.end)];
    put(this.before, 0, clamp(from));
    put(this.after, clamp(to), 1 - clamp(to));
    put(this.chosen, clamp(from), clamp(to) - clamp(from));
    put(this.start.element, clamp(from)).classList.toggle('away', from < 0 || from > 1);
    put(this.end.element, clamp(to)).classList.toggle('away', to < 0 || to > 1);
    this.start.tell();
    this.end.tell();
  }

  #drawPlayhead() {
    const place = this.desk.axis.place(this.desk.player.instant);
    this.playhead.hidden = place < 0 || place > 1;
    put(this.playhead, place);
  }
}

/**
 * The instants where another session begins.
 *
 * @param {{session_id: string, start: number}[]} spans
 */
export function borders(spans) {
  return spans
    .filter((span, place) => place && span.session_id !== spans[place - 1].session_id)
    .map((span) => span.start);
}

/** The picture of a path that is as wide and high as what it stands in. @param {SVGPathElement} path */
function drawing(path) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', VIEW_BOX);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.append(path);
  return svg;
}

/**
 * Puts an element at a part of the width.
 *
 * @param {HTMLElement} element
 * @param {number} left
 * @param {number | null} width
 */
function put(element, left, width = null) {
  element.style.left = `${left * 100}%`;
  if (width !== null) element.style.width = `${width * 100}%`;
  return element;
}

/** @param {number} place */
const clamp = (place) => Math.min(1, Math.max(0, place));
