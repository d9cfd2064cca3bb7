// The film of the selection, or of what lies around a moment that somebody looks at.

import { fill, h } from '../dom.js';
import { Problem } from '../api.js';
import { factsOf, inWords, tellProblem } from '../telling.js';
import { called, texts } from '../texts.js';
import { film } from './film.js';
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
 * loads or fails. `looking`: it shows what is not in the selection.
 */
export class Player extends EventTarget {
  #loading = new AbortController();
  /** @type {number | undefined} */
  #timer;
  /** @type {number | null} */
  #wanted = null; // the instant to show once the film is there
  #again = true; // whether a film that fails is asked for again
  #swapping = false; // one film has gone, the next is not there yet
  #resume = false; // whether that one is to play
  /** @type {FilmClock | null} */
  clock = null;
  looking = false;
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
    this.still = h('canvas', { class: 'still', hidden: true, 'aria-hidden': 'true' });
    this.says = h('p', { class: 'says', role: 'status' });
    this.element = h('div', { class: 'screen' }, this.video, this.still, this.says);
    this.stepper = new Stepper(this.video);
    this.video.addEventListener('error', () => void this.#failed());
    this.video.addEventListener('loadeddata', () => this.#loaded());
    this.video.addEventListener('click', () => this.toggle());
    for (const kind of ['play', 'pause', 'ended', 'ratechange', 'volumechange']) {
      this.video.addEventListener(kind, () => this.#tell('state'));
    }
    for (const kind of ['timeupdate', 'seeking', 'seeked']) {
      this.video.addEventListener(kind, () => this.#tell('time'));
    }
    this.#watchFrames();
    selection.addEventListener('change', () => this.showSelection());
    this.forget = () => this.#forget();
    buffer.addEventListener('change', this.forget);
    this.showSelection(0);
  }

  /** The instant that is shown, or that will be. */
  get instant() {
    if (this.#wanted !== null || !this.clock) return this.#wanted ?? this.selection.start;
    return this.clock.instant(this.video.currentTime);
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
    this.looking = true;
    const window = { start: Math.max(oldest, at - AROUND_MS[0]), end: Math.min(newest, at + AROUND_MS[1]) };
    this.#show(window, at, 0);
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
    try {
      const found = await film(this.buffer, this.window, signal);
      if (signal.aborted) return;
      this.#freeze();
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
    this.busy = this.#swapping = false;
    if (this.clock) this.video.currentTime = this.clock.second(this.#wanted ?? this.clock.start);
    this.#wanted = null;
    this.still.hidden = true;
    if (this.#resume) void this.video.play().catch(notPlayed);
    this.#resume = false;
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
    this.still.hidden = true;
    this.#tell('state');
  }

  // What was shown stays in sight until the next film is there.
  #freeze() {
    const { videoWidth, videoHeight, readyState } = this.video;
    if (readyState < 2 || !this.still.hidden) return;
    Object.assign(this.still, { width: videoWidth, height: videoHeight });
    this.still.getContext('2d')?.drawImage(this.video, 0, 0);
    this.still.hidden = false;
  }

  #watchFrames() {
    if (!tellsFrames(this.video)) return;
    const see = () => {
      this.#tell('time');
      this.video.requestVideoFrameCallback(see);
    };
    this.video.requestVideoFrameCallback(see);
  }

  /** @param {'state' | 'time'} kind */
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

/** @param {Problem} problem */
function whyNot(problem) {
  return called(texts.timeline.filmProblems, problem.type)?.(factsOf(problem)) ?? inWords(problem);
}

/** A play that another film, or a pause, put an end to is no news. @param {Error} error */
function notPlayed(error) {
  if (!['AbortError', 'NotAllowedError'].includes(error.name)) tellProblem(error);
}
