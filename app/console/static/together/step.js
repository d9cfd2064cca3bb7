// Which films a page has, and how they keep step with one clock. Pure; instants are ms since 1970, lengths ms.

import { distance, edge } from '../watching/edge.js';

/**
 * @import { BufferTimeline } from '../../types.js'
 * @typedef {Pick<BufferTimeline, 'state' | 'playlist_url' | 'oldest' | 'newest'>} Watchable
 */

export const APART_MS = 250; // what is further off is sought, not caught up with
export const CLOSE_MS = 30; // what is nearer is let be: about a picture
const MOST = 0.2; // how much faster or slower a film goes meanwhile
const CATCH_UP_MS = 500;
const AGAIN_MS = 30_000; // what is played of a window that is at its end
const LATE_MS = 10_000; // a share whose newest picture is older has ended, or is stuck
const END_MS = 60; // before the end of a film there is still a picture
export const PATIENCE_MS = 4_000; // for a film that is not there, before the others go on without it

/**
 * What a film that is `ahead` of the clock does, which goes at `rate`; it is behind if that is below 0.
 *
 * @param {number} ahead
 * @param {number} rate
 */
export function correction(ahead, rate) {
  if (Math.abs(ahead) > APART_MS) return { seek: true, rate };
  if (Math.abs(ahead) < CLOSE_MS) return { seek: false, rate };
  const by = Math.min(MOST, Math.abs(ahead) / CATCH_UP_MS) * Math.sign(ahead);
  return { seek: false, rate: rate - by };
}

/**
 * The clock that all films of a page are held to: from `start` to `end`, where it stops; `last` is its
 * newest moment. While `following` it goes on as there is more, at the speed that keeps it near that.
 */
export class StepClock {
  #heldFor = 0;
  #pace = 1; // while it follows
  #longest = 0; // of the segments that come, in ms
  rate = 1;
  playing = false;
  following = false;

  /**
   * @param {number} start
   * @param {number} end
   * @param {number} last
   */
  constructor(start, end, last = end) {
    this.start = start;
    this.end = end;
    this.last = last;
    this.instant = last;
  }

  /** How fast it goes when it does. */
  get pace() {
    return this.following ? this.#pace : this.rate;
  }

  /** From now on it follows the newest moment; whatever is done with it ends that. */
  follow() {
    this.playing = this.following = true;
    this.#heldFor = 0;
  }

  /**
   * There is more: of all that go on up to `last`, of any up to `end`, in segments of up to `longest`.
   *
   * @param {{start: number, end: number, last: number, longest: number}} reach
   */
  grow({ start, end, last, longest }) {
    Object.assign(this, { start, end, last });
    this.#longest = longest;
  }

  /** @param {number} instant */
  seek(instant) {
    if (this.following) this.playing = this.following = false;
    this.instant = Math.max(this.start, Math.min(instant, this.end));
    this.#heldFor = 0;
  }

  /** Plays, the last half minute if it is at the newest moment, or pauses. */
  toggle() {
    if (this.following) return this.seek(this.instant);
    if (!this.playing && this.instant >= this.last) this.seek(this.last - AGAIN_MS);
    this.playing = !this.playing;
    this.#heldFor = 0;
  }

  /**
   * So much time has passed. `ready`: each film shows its picture of this instant; until they do the
   * clock stands, but for no longer than PATIENCE_MS. Whether it goes.
   *
   * @param {number} passed
   * @param {boolean} ready
   */
  pass(passed, ready) {
    if (!this.playing) return false;
    this.#heldFor = ready ? 0 : this.#heldFor + passed;
    if (!ready && this.#heldFor < PATIENCE_MS) return false;
    if (this.following) return this.#keepUp(passed);
    this.instant = Math.min(this.instant + passed * this.rate, this.end);
    if (this.instant >= this.end) this.playing = false;
    return this.playing;
  }

  /** @param {number} passed */
  #keepUp(passed) {
    const { seek, rate } = edge(this.instant, this.last, this.#longest);
    this.#pace = rate;
    const next = seek ? this.last - distance(this.#longest) : this.instant + passed * rate;
    const goes = next < this.last;
    this.instant = Math.max(this.start, Math.min(next, this.last));
    return goes;
  }
}

/**
 * The shares that a page has, oldest first: of more than `most` those that go on, then the newest.
 * `shares` have the newest first; those that can't be watched are left out.
 *
 * @template {Watchable} Share
 * @param {Share[]} shares
 * @param {number} most
 */
export function shownOf(shares, most) {
  const watchable = shares.filter(isWatchable);
  const isOver = (/** @type {Share} */ share) => share.state === 'ended';
  const first = [...watchable.filter((share) => !isOver(share)), ...watchable.filter(isOver)].slice(0, most);
  return watchable.filter((share) => first.includes(share)).reverse();
}

/** Whether there is something of a share, for the viewer. @param {Watchable} share */
export const isWatchable = (share) => Boolean(share.playlist_url && share.oldest && share.newest);

/**
 * Those of `shares` that somebody chose, in the order of `chosen`, ids; null if one of them is gone.
 *
 * @template {Watchable & {id: string}} Share
 * @param {Share[]} shares
 * @param {string[]} chosen
 */
export function chosenOf(shares, chosen) {
  const found = chosen.map((id) => shares.find((share) => share.id === id));
  const there = found.filter((share) => share !== undefined && isWatchable(share));
  return chosen.length && there.length === chosen.length ? /** @type {Share[]} */ (there) : null;
}

/**
 * The window that a page of several shares has: what is recent of any of them, at most `most` long.
 * Null if nothing of any is there.
 *
 * @param {{oldest: number, newest: number}[]} extents
 * @param {number} most
 */
export function windowOf(extents, most) {
  if (!extents.length) return null;
  const end = Math.max(...extents.map(({ newest }) => newest));
  const start = Math.max(Math.min(...extents.map(({ oldest }) => oldest)), end - most);
  return { start, end };
}

/**
 * What is shown first: the newest moment of which all have a picture that go on.
 *
 * @param {{oldest: number, newest: number}[]} extents
 * @param {{start: number, end: number}} window
 */
export function newestTogether(extents, { start, end }) {
  const newest = extents.map((extent) => extent.newest).filter((each) => end - each < LATE_MS);
  return Math.max(start, Math.min(...newest) - END_MS);
}
