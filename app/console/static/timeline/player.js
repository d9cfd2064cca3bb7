// The film of the selection, or of what lies around a moment that somebody looks at.

import { fill, h } from '../dom.js';
import { Problem } from '../api.js';
import { texts } from '../texts.js';
import { film } from './film.js';
import { notPlayed, whyNot } from './film_problems.js';
import { Still } from './still.js';
import { Stepper, tellsFrames } from './stepping.js';

/**
 * @import { FilmClock, Stretch } from './film_clock.js'
 * @import { Selection } from './selection.js'
 * @import { WatchedBuffer } from './watched.js'
 */

const PATIENCE_MS = 350; // a selection that is still being changed is not worth a film
const END_MS = 60; // before the end of a film there is still a picture
const AROUND_MS = [20_000, 40_000]; // what is loaded before and after a moment that is looked at
const t = texts.timeline.player;

/**
 * Plays a WatchedBuffer. Tells `time` when another instant is shown, `state` when it plays, pauses,
 * loads or fails, `asked` when it is to show something else. `looking`: it shows what is not in the selection.
 */
export class Player extends EventTarget {
  #loading = new AbortController();
  #still = new Still();
  /** @type {number | undefined} */
  #timer;
  /** @type {number | null} */
  #wanted = null; // the instant to show once the film is there
  #again = true; // whether a film that fails is asked for again
  #swapping = false; // one film has gone, the next is not there yet
  /** @type {Stretch | null} */
  #filmed = null; // the window of the film that the <video> has or is to have
  #resume = false; // whether that one is to play
  /** @type {number | null} */
  #next = null; // to seek to once the seek before has ended
  /** @type {FilmClock | null} */
  clock = null;
  looking = false;
  scrubbing = false; // an end is being dragged: its picture is shown, not the selection's film
  loop = true;
  /** @type {Problem | null} */
  problem = null;
  busy = false;

  /**
   * @param {WatchedBuffer} buffer
   * @param {Selection} selection
   */
  constructor(buffer, selection) {
    super();
    this.buffer = buffer;
    this.selection = selection;
    /** @type {Stretch} */
    this.window = selection;
    this.video = h('video', { playsinline: true, preload: 'auto', 'aria-label': t.video });
    this.says = h('p', { class: 'says', role: 'status' });
    this.element = h('div', { class: 'screen' }, this.video, this.#still.element, this.says);
    this.stepper = new Stepper(this.video);
    this.video.addEventListener('error', () => void this.#failed());
    this.video.addEventListener('loadeddata', () => this.#loaded());
    this.video.addEventListener('click', () => this.toggle());
    for (const kind of ['play', 'pause', 'ended', 'ratechange', 'volumechange']) {
      this.video.addEventListener(kind, () => this.#tell('state'));
    }
    this.video.addEventListener('seeked', () => this.#catchUp());
    for (const kind of ['timeupdate', 'seeking', 'seeked']) {
      this.video.addEventListener(kind, () => this.#tell('time'));
    }
    this.#watchFrames();
    selection.addEventListener('change', () => void (this.scrubbing || this.showSelection()));
    this.forget = () => this.#forget();
    buffer.addEventListener('change', this.forget);
    this.showSelection(0);
  }

  /** The instant that is shown, or that will be. */
  get instant() {
    if (this.#wanted !== null || !this.clock) return this.#wanted ?? this.selection.start;
    return this.clock.instant(this.video.currentTime);
  }

  /** Whether what is seen is the picture of `instant`, not one that is still to come. */
  get sharp() {
    return !this.busy && !this.video.seeking && this.#next === null;
  }

  get paused() {
    return this.#swapping ? !this.#resume : this.video.paused;
  }

  close() {
    this.buffer.removeEventListener('change', this.forget);
    this.#empty();
  }

  /** Shows the selection's film, at the end that was moved, or where it stands if that is in it. */
  showSelection(patience = PATIENCE_MS) {
    this.#tell('asked');
    const { start, end, moved } = this.selection;
    const inside = this.instant >= start && this.instant < end;
    let at = inside && moved !== 'start' ? this.instant : start;
    if (moved === 'end' && this.paused) at = end - END_MS;
    this.looking = false;
    // Until the new film is there the old one shows it, as far as it can.
    if (this.paused && !this.#swapping && this.clock?.covers(at))
      this.video.currentTime = this.clock.second(at);
    this.#show({ start, end }, at, patience);
  }

  /**
   * Shows an instant: of the selection, or, if it is not in it, what lies around it.
   *
   * @param {number} instant
   */
  seek(instant) {
    this.#tell('asked');
    const { start, end } = this.selection;
    const { oldest, newest } = this.buffer.extent;
    const at = Math.max(Math.min(oldest, start), Math.min(instant, newest));
    if (at >= start && at <= end) {
      if (this.looking || this.problem) {
        this.looking = false;
        this.#show({ start, end }, at, 0);
      } else this.#go(at);
      return;
    }
    if (this.looking && this.clock?.covers(at)) return this.#go(at);
    this.#showAround(at);
  }

  /** @param {number} at */
  #showAround(at) {
    const { oldest, newest } = this.buffer.extent;
    this.looking = true;
    const window = { start: Math.max(oldest, at - AROUND_MS[0]), end: Math.min(newest, at + AROUND_MS[1]) };
    this.#show(window, at, 0);
  }

  #catchUp() {
    const next = this.#next;
    this.#next = null;
    if (next !== null && this.clock && !this.busy) this.video.currentTime = this.clock.second(next);
  }

  /** Shows the instant that an end is dragged to; `settle` is called when it is let go of. @param {number} instant */
  scrub(instant) {
    this.#tell('asked');
    this.video.pause();
    this.#resume = false;
    if (this.busy && instant >= this.window.start && instant <= this.window.end) this.#wanted = instant;
    else if (!this.busy && this.clock?.covers(instant)) this.#go(instant);
    else this.#showAround(instant);
    this.#tell('time');
  }

  settle() {
    if (!this.scrubbing) return;
    this.scrubbing = false;
    this.showSelection(0);
  }

  /** Plays, from the beginning if it is at the end, or pauses. */
  toggle() {
    if (this.#swapping) this.#resume = !this.#resume;
    else if (this.video.paused) void this.video.play().catch(notPlayed);
    else this.video.pause();
    this.#tell('state');
  }

  /** @param {1 | -1} direction */
  async step(direction) {
    await this.stepper.step(direction);
  }

  /** @param {boolean} loop */
  setLoop(loop) {
    this.loop = loop;
    this.video.loop = loop && !this.looking;
    this.#tell('state');
  }

  /** @param {number} instant */
  #go(instant) {
    if (this.busy || !this.clock) this.#wanted = instant;
    else if (this.scrubbing && this.video.seeking) this.#next = instant;
    else this.video.currentTime = this.clock.second(instant);
    this.#tell('time');
  }

  /**
   * @param {Stretch} window
   * @param {number} at
   * @param {number} patience
   */
  #show(window, at, patience) {
    clearTimeout(this.#timer);
    this.#loading.abort();
    this.#again = true;
    this.window = window;
    this.#wanted = at;
    this.busy = true;
    this.problem = null;
    this.#tell('state');
    this.#tell('time');
    this.#timer = setTimeout(() => void this.#load(), patience);
  }

  async #load() {
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    const { window } = this;
    try {
      const found = await film(this.buffer, window, signal);
      if (signal.aborted) return;
      this.#still.keep(this.video);
      this.#filmed = window;
      this.clock = found.clock;
      this.#resume ||= !this.video.paused && !this.video.ended;
      this.#swapping = true;
      this.video.src = found.url;
      this.video.loop = this.loop && !this.looking;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      this.#fail(error);
    }
  }

  #loaded() {
    this.#swapping = false;
    if (this.clock) this.video.currentTime = this.clock.second(this.#wanted ?? this.clock.start);
    this.#still.hide();
    if (this.#filmed === this.window) {
      this.busy = false;
      this.#wanted = null;
      if (this.#resume) void this.video.play().catch(notPlayed);
      this.#resume = false;
    } // else another window was chosen meanwhile, whose film is still to come
    this.#tell('state');
    this.#tell('time');
  }

  // A <video> does not say why: the service is asked, which either does or has another URL.
  async #failed() {
    if (!this.video.getAttribute('src')) return;
    if (this.#again) {
      this.#again = false;
      this.#wanted ??= this.instant;
      this.busy = true;
      this.#tell('state');
      return this.#load();
    }
    this.#fail(new Problem(0, { type: 'film-broken', detail: this.video.error?.message ?? '' }));
  }

  // Of what is all gone nothing stays in sight: somebody may have deleted it.
  #forget() {
    const { start, end } = this.window;
    const isThere = this.buffer.spans.some((span) => span.start < end && span.end > start);
    if (isThere || this.problem || !this.buffer.lostOf(this.window)) return;
    this.#empty();
    this.clock = null;
    this.#wanted = null;
    this.#fail(new Problem(410, { type: 'gone', detail: '' }));
    this.#tell('time');
  }

  #empty() {
    clearTimeout(this.#timer);
    this.#loading.abort();
    this.video.removeAttribute('src');
    this.video.load();
  }

  /** @param {Problem} problem */
  #fail(problem) {
    this.busy = this.#swapping = this.#resume = false;
    this.problem = problem;
    this.#still.hide();
    this.#tell('state');
  }

  #watchFrames() {
    if (!tellsFrames(this.video)) return;
    const see = () => {
      this.#tell('time');
      this.video.requestVideoFrameCallback(see);
    };
    this.video.requestVideoFrameCallback(see);
  }

  /** @param {'state' | 'time' | 'asked'} kind */
  #tell(kind) {
    if (kind === 'state') this.#say();
    this.dispatchEvent(new Event(kind));
  }

  #say() {
    const words = this.problem ? whyNot(this.problem) : this.busy ? t.loading : '';
    if (this.says.textContent !== words) fill(this.says, words);
    this.says.ariaHidden = String(!this.problem); // that it loads is seen, but not worth a word each time
    this.element.classList.toggle('busy', this.busy);
    this.element.classList.toggle('failed', Boolean(this.problem));
  }
}
