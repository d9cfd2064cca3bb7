// What is being recorded of a share, nearly as it happens: its segments, appended to one film.

import { whenAny } from '../abort.js';
import { Problem, isAborted, unreachable } from '../api.js';
import { distance } from './edge.js';
import { startOf, typeOf } from './fragment.js';
import { endOf, newerThan, partsOf } from './playlist.js';
import { isSeen } from './seen.js';

/**
 * @import { Api } from '../api.js'
 * @import { LiveBuffers } from '../live.js'
 * @import { Part, Segment } from './playlist.js'
 */

const LOOK_MS = 900; // between two looks
const QUIET_MS = 5_000; // without news it looks all the same
const LOOK_SECONDS = 10;
const KEPT_SECONDS = 30; // what stays behind the picture that is shown
const PATIENCE_MS = 15_000; // for one segment
const FINAL = [401, 403, 404];
const BROKEN = 'film-broken';

/** Whether this browser takes a film in pieces: those of telephones need not. */
export const canWatch = 'MediaSource' in globalThis;

/**
 * Fills a <video> with the newest of a share, up to `newest`; `clock` tells which second of it is which
 * instant. `longest`: of its segments, in ms. While nobody sees it, by `seen()`, nothing is fetched.
 *
 * Tells `failed` when there will be no more of it: `problem` says why.
 */
export class LiveFilm extends EventTarget {
  #ending = new AbortController();
  #dropping = new AbortController();
  /** @type {{buffer: SourceBuffer, init: string} | null} */
  #film = null;
  /** @type {string | null} */
  #last = null; // the name of the newest segment that is there
  #looking = false;
  #news = false; // whether the share has changed since the look that goes on began
  #lookedAt = 0;
  #broken = false; // whether the film before was given up
  /** @type {number | undefined} */
  #timer;
  #origin = 0; // the instant of second 0
  longest = 0;
  /** @type {number | null} */
  newest = null;
  /** @type {Problem | null} */
  problem = null;

  /**
   * @param {{api: Api, live: LiveBuffers, id: string}} share
   * @param {HTMLVideoElement} video
   */
  constructor({ api, live, id }, video, seen = () => isSeen(video)) {
    super();
    this.api = api;
    this.path = `/buffers/${encodeURIComponent(id)}/playlist.m3u8`;
    this.video = video;
    this.seen = seen;
    const { signal } = this.#ending;
    const heard = (/** @type {Event} */ event) => {
      const { detail } = /** @type {CustomEvent<string | null>} */ (event);
      if (detail !== null && detail !== id) return;
      this.#news = true;
      this.#lookIn(LOOK_MS - (Date.now() - this.#lookedAt));
    };
    live.addEventListener('change', heard, { signal });
    for (const kind of ['visibilitychange', 'enterpictureinpicture']) {
      document.addEventListener(kind, () => this.#lookIn(0), { signal });
    }
    video.addEventListener('error', () => this.#film && this.#failed(video.error?.message ?? ''), { signal });
    this.#lookIn(0);
  }

  /** Which second of the film is which instant; null while there is none. */
  get clock() {
    if (this.newest === null) return null;
    const origin = this.#origin;
    return {
      instant: (/** @type {number} */ second) => origin + second * 1000,
      second: (/** @type {number} */ instant) => (instant - origin) / 1000,
    };
  }

  close() {
    this.#ending.abort();
    clearTimeout(this.#timer);
    this.#drop();
  }

  /** @param {number} milliseconds */
  #lookIn(milliseconds) {
    if (this.#looking || this.#ending.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), Math.max(0, milliseconds));
  }

  async #look() {
    if (!this.seen()) return;
    this.#looking = true;
    this.#news = false;
    this.#lookedAt = Date.now();
    try {
      await this.#keepUp();
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      if (error instanceof Problem && (FINAL.includes(error.status) || error.type === BROKEN)) return this.#fail(error);
      if (isUnreadable(error)) this.#failed(String(error));
      else if (!(error instanceof Problem) && !isAborted(error)) throw error;
      // The service is away, or a segment has just gone: what there is then is looked at again.
    } finally {
      this.#looking = false;
    }
    this.#lookIn(this.#news ? LOOK_MS : QUIET_MS);
  }

  async #keepUp() {
    const { signal } = this.#ending;
    const answer = await this.api.answer(this.path, { last: LOOK_SECONDS }, { signal });
    const told = await answer.text().catch((error) => {
      throw unreachable(error);
    });
    const part = partsOf(told, answer.url).at(-1);
    if (!part || !this.seen()) return;
    this.longest = Math.max(...part.segments.map(({ seconds }) => seconds * 1000));
    const isSame = this.#film?.init === nameOf(part.init);
    const newer = (isSame && newerThan(part, this.#last)) || (await this.#begin(part));
    for (const segment of newer) await this.#add(segment);
  }

  /**
   * Another film, of the end of a part; gives what it begins with.
   *
   * @param {Part} part
   */
  async #begin({ init, segments }) {
    const head = await bytesOf(init, this.#ending.signal);
    const type = typeOf(head);
    if (!MediaSource.isTypeSupported(type)) throw broken(type);
    this.#drop();
    const { signal } = this.#dropping;
    const source = new MediaSource();
    const url = URL.createObjectURL(source);
    this.video.src = url;
    try {
      await happened(source, 'sourceopen', signal);
    } finally {
      URL.revokeObjectURL(url);
    }
    const buffer = source.addSourceBuffer(type);
    this.#film = { buffer, init: nameOf(init) };
    buffer.appendBuffer(head);
    await happened(buffer, 'updateend', signal);
    const from = endOf(segments[segments.length - 1]) - distance(this.longest);
    return segments.filter((segment) => endOf(segment) > from);
  }

  /** @param {Segment} segment */
  async #add(segment) {
    const { signal } = this.#dropping;
    const bytes = await bytesOf(segment.url, signal);
    if (!this.#film) return;
    const { buffer } = this.#film;
    const isFirst = this.#last === null;
    if (isFirst) buffer.timestampOffset = -startOf(bytes);
    buffer.appendBuffer(bytes);
    await happened(buffer, 'updateend', signal);
    this.#origin = segment.start - (startOf(bytes) + buffer.timestampOffset) * 1000;
    this.#last = segment.name;
    this.newest = endOf(segment);
    const { buffered } = buffer;
    if (!buffered.length) return;
    if (isFirst) this.video.currentTime = buffered.start(0); // sound may begin a little later
    else this.#broken = false;
    const until = this.video.currentTime - KEPT_SECONDS;
    if (buffered.start(0) >= until) return;
    buffer.remove(0, until);
    await happened(buffer, 'updateend', signal);
  }

  #drop() {
    this.#dropping.abort();
    this.#dropping = new AbortController();
    this.#film = this.#last = this.newest = null;
    this.video.removeAttribute('src');
    this.video.load();
  }

  // Once it is tried anew: what a browser can't read may be one segment alone.
  /** @param {string} detail */
  #failed(detail) {
    this.#drop();
    if (this.#broken) return this.#fail(broken(detail));
    this.#broken = this.#news = true;
    this.#lookIn(LOOK_MS);
  }

  /** @param {Problem} problem */
  #fail(problem) {
    this.problem = problem;
    this.close();
    this.dispatchEvent(new Event('failed'));
  }
}

/** @param {string} detail */
const broken = (detail) => new Problem(0, { type: BROKEN, detail });

/** Whether it is what a browser, or a look into the bytes, says of media. @param {unknown} error */
const isUnreadable = (error) => (error instanceof DOMException || error instanceof RangeError) && !isAborted(error);

/** What a URL names, whatever it is signed with. @param {string} url */
const nameOf = (url) => new URL(url).pathname;

/**
 * @param {string} url signed: it needs no token
 * @param {AbortSignal} signal
 */
async function bytesOf(url, signal) {
  try {
    const answer = await fetch(url, { signal: whenAny([signal, AbortSignal.timeout(PATIENCE_MS)]) });
    if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
  } catch (error) {
    if (signal.aborted) throw error;
    throw unreachable(error);
  }
  throw new Problem(0, { type: 'gone' }); // the playlist that is read next no longer names it
}

/**
 * @param {EventTarget} target
 * @param {string} kind
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function happened(target, kind, signal) {
  return new Promise((resolve, reject) => {
    const over = () => reject(signal.reason);
    signal.addEventListener('abort', over, { once: true });
    const done = () => (signal.removeEventListener('abort', over), resolve());
    target.addEventListener(kind, done, { once: true });
  });
}
