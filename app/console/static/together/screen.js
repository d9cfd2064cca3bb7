// One share among several that are played together: its film, or why there is no picture of it.

import { Problem, isAborted } from '../api.js';
import { stateOf } from '../buffers/words.js';
import { fill, h, set } from '../dom.js';
import { icon } from '../icons.js';
import { called, texts } from '../texts.js';
import { film } from '../timeline/film.js';
import { notPlayed, whyNot } from '../timeline/film_problems.js';
import { LiveFilm } from '../watching/live_film.js';
import { correction } from './step.js';

/**
 * @import { BufferTimeline } from '../../types.js'
 * @import { LiveBuffers } from '../live.js'
 * @import { Session } from '../session.js'
 * @import { FilmClock, Stretch } from '../timeline/film_clock.js'
 */

const t = texts.together;
const PICTURE_MS = 40;

/** Plays what `told`, a share, has of `window`, or what comes of it. Tells `sound` when it is muted, or not any more. */
export class Screen extends EventTarget {
  #loading = new AbortController();
  #again = true; // whether a film that fails is asked for again
  #lost = false;
  /** @type {Problem | null} */
  #problem = null;
  /** @type {Pick<FilmClock, 'second'> | null} */
  #clock = null;
  /** @type {LiveFilm | null} */
  #coming = null;

  /**
   * @param {Session} session
   * @param {BufferTimeline} told
   * @param {Stretch} window
   */
  constructor(session, told, window) {
    super();
    this.session = session;
    this.api = session.api;
    this.id = told.id;
    this.told = told;
    this.window = window;
    this.spans = told.spans.map(timed);
    this.gaps = told.gaps.map(timed);
    const name = `screen-${told.id}`;
    this.video = h('video', { playsinline: true, preload: 'auto', 'aria-label': t.video(told.sharer) });
    this.video.muted = true; // of several that are heard at once nothing is understood
    this.says = h('p', { class: 'says' });
    this.badge = h('span', { class: 'badge' });
    this.sound = h('button', { type: 'button', class: 'plain icon', onclick: () => this.#turn() });
    this.sound.hidden = !told.audio;
    this.element = h(
      'section',
      { class: 'card one', 'aria-labelledby': name, 'data-id': told.id },
      h('div', { class: 'screen' }, this.video, this.says),
      h(
        'div',
        { class: 'row line' },
        h('h2', { id: name }, h('a', { href: `#/buffers/${told.id}` }, h('bdi', {}, told.sharer))),
        this.badge,
        this.sound,
      ),
    );
    this.video.addEventListener('volumechange', () => this.#drawSound());
    this.video.addEventListener('playing', () => (this.#again = true));
    this.video.addEventListener('error', () => this.#failed());
    this.#drawSound();
    this.#drawState();
  }

  close() {
    this.#loading.abort();
    this.#coming?.close();
    this.#coming = null;
    this.video.removeAttribute('src');
    this.video.load();
  }

  /** From now on it plays the film of the window as it is now. */
  look() {
    this.#renew();
    const isThere = this.spans.some((span) => overlap(span, this.window));
    if (isThere && !this.#lost) void this.#load();
  }

  /**
   * From now on it plays what comes, if something does, while it is seen.
   *
   * @param {LiveBuffers} live
   * @param {() => boolean} seen
   */
  watch(live, seen) {
    this.#renew();
    if (this.#lost || this.told.ended_at) return;
    const { api, id, video } = this;
    this.#coming = new LiveFilm({ api, live, id }, video, seen);
    this.#coming.addEventListener('failed', () => (this.#problem = this.#coming?.problem ?? null));
  }

  /** What can be shown of it; null if there is nothing. */
  get extent() {
    if (!this.spans.length) return null;
    const newest = this.#coming?.newest ?? this.spans[this.spans.length - 1].end;
    return { oldest: this.spans[0].start, newest };
  }

  /** How long a segment of what comes is at most, in ms. */
  get longest() {
    return this.#coming?.longest ?? 0;
  }

  #renew() {
    this.close();
    this.#clock = this.#problem = null;
    this.#again = true;
  }

  /** The share as it was read again; null: it is not there, or not the viewer's, any more. @param {BufferTimeline | null} told */
  take(told) {
    if (told) {
      this.told = told;
      this.spans = told.spans.map(timed);
      this.gaps = told.gaps.map(timed);
      this.#drawState();
    }
    if (this.#lost || (told && this.spans.some((span) => overlap(span, this.window)))) return;
    // Of what is all gone nothing stays in sight: somebody may have deleted it.
    this.#lost = true;
    this.#clock = null;
    this.spans = [];
    this.close();
  }

  mute() {
    this.video.muted = true;
  }

  /**
   * Shows an instant, playing or not. Whether it does, or has nothing to show: others need not wait.
   *
   * @param {number} instant
   * @param {boolean} playing
   * @param {number} rate
   */
  follow(instant, playing, rate) {
    const words = this.#why(instant);
    this.#say(words);
    if (this.#coming && words === t.after) this.#renew(); // nothing comes any more
    const { video } = this;
    if (this.#coming) this.#clock = this.#coming.clock;
    if (words || !this.#clock) {
      if (!video.paused) video.pause();
      return words !== t.loading;
    }
    const ahead = (video.currentTime - this.#clock.second(instant)) * 1000;
    if (video.seeking || video.readyState < video.HAVE_CURRENT_DATA) return false;
    if (!playing) {
      if (!video.paused) video.pause();
      if (Math.abs(ahead) < PICTURE_MS) return true;
      this.#seek(instant);
      return false;
    }
    const { seek, rate: wanted } = correction(ahead, rate);
    if (seek) {
      this.#seek(instant);
      return false;
    }
    if (video.playbackRate !== wanted) video.playbackRate = wanted;
    if (video.paused && !video.ended) void video.play().catch(notPlayed);
    return video.ended || video.readyState >= video.HAVE_FUTURE_DATA;
  }

  /** Why there is no picture of an instant, in words; empty if there is one. @param {number} instant */
  #why(instant) {
    if (this.#lost) return t.gone;
    if (this.#problem) return whyNot(this.#problem);
    if (!this.spans.length) return t.unavailable;
    const gap = this.gaps.find(({ start, end }) => start <= instant && instant < end);
    if (gap) return called(texts.buffers.gaps, gap.why) ?? t.unavailable;
    if (instant < Date.parse(this.told.started_at)) return t.before;
    if (instant < this.spans[0].start) return t.unavailable;
    const last = Math.max(this.spans[this.spans.length - 1].end, this.#coming?.newest ?? 0);
    if (instant > last) return this.told.ended_at ? t.after : t.notYet;
    return this.#clock ? '' : t.loading;
  }

  async #load() {
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    try {
      const found = await film(this, this.#filmed(), signal);
      if (signal.aborted) return;
      this.#clock = found.clock;
      this.video.src = found.url;
    } catch (error) {
      if (signal.aborted || isAborted(error)) return;
      if (!(error instanceof Problem)) throw error;
      this.#problem = error;
    }
  }

  /** What of the window there may be: the service takes none that begins before its buffer. */
  #filmed() {
    const parts = this.spans.filter((span) => overlap(span, this.window));
    const start = Math.max(parts[0]?.start ?? this.window.start, this.window.start);
    const end = Math.min(parts.at(-1)?.end ?? this.window.end, this.window.end);
    return { start, end };
  }

  // A <video> does not say why: the service is asked, which either does or has another URL.
  #failed() {
    if (!this.video.getAttribute('src') || this.#coming) return;
    this.#clock = null;
    if (!this.#again) this.#problem = new Problem(0, { type: 'film-broken', detail: this.video.error?.message ?? '' });
    else void this.#load();
    this.#again = false;
  }

  /** @param {number} instant */
  #seek(instant) {
    if (this.#clock) this.video.currentTime = this.#clock.second(instant);
  }

  /** @param {string} words */
  #say(words) {
    if (this.says.textContent === words) return;
    fill(this.says, words);
    this.element.classList.toggle('blank', Boolean(words));
  }

  #turn() {
    this.video.muted = !this.video.muted;
    this.dispatchEvent(new Event('sound'));
  }

  #drawSound() {
    const { muted } = this.video;
    const label = (muted ? t.hear : t.mute)(this.told.sharer);
    set(this.sound, { 'aria-label': label, title: label });
    fill(this.sound, icon(muted ? 'muted' : 'sound'));
  }

  #drawState() {
    const { badge, tone } = stateOf(this.told, this.session.facts.identity, this.api.now());
    fill(this.badge, badge);
    set(this.badge, { class: `badge ${tone}` });
  }
}

/**
 * @param {Stretch} one
 * @param {Stretch} other
 */
const overlap = (one, other) => one.start < other.end && other.start < one.end;

/**
 * @template {{start: string, end: string}} Part
 * @param {Part} part
 */
const timed = (part) => ({ ...part, start: Date.parse(part.start), end: Date.parse(part.end) });
