// Who is looking: a token that came in, exchanged for one of the service's own, kept in this tab.

import { Api, Problem } from './api.js';

const KEPT = 'replay.session';
const RENEW_AT = 0.6; // of its life
const LOOK_MS = 20_000;

/**
 * What POST /session tells, but for the token.
 * @import { SessionView } from '../types.js'
 * @typedef {Omit<SessionView, 'token'>} Facts
 */

/**
 * A session. Tells `change` when rights or expiry have changed, `expired` when its token is not
 * taken any more, `resumed` when another is there, `end` when the viewer has signed out.
 */
export class Session extends EventTarget {
  /** @type {string | null} */
  #token = null;
  /** @type {Facts | null} */
  #facts = null;
  /** @type {number | undefined} */
  #timer;
  #renewAt = Infinity;
  #ending = new AbortController();

  constructor() {
    super();
    this.expired = false;
    this.api = new Api({ token: () => this.#token, refused: (token) => this.#refused(token) });
    // Timers stand still while a computer sleeps.
    const options = { signal: this.#ending.signal };
    document.addEventListener('visibilitychange', () => this.#lookAgain(), options);
  }

  /** The session of this tab's token; null if there is none. Throws Problem. */
  static async found() {
    const token = sessionStorage.getItem(KEPT);
    return token ? Session.begun(token) : null;
  }

  /** Exchanges a token. Throws Problem if the service doesn't take it. @param {string} token */
  static async begun(token) {
    return (await Session.offered(token)).take();
  }

  /**
   * Whose a token is, before this tab goes on with it. Throws Problem if the service doesn't take it.
   *
   * @param {string} token
   */
  static async offered(token) {
    const session = new Session();
    const told = await session.#shown(token);
    const take = () => {
      session.#take(told);
      return session;
    };
    return { identity: told.identity, take, drop: () => session.drop() };
  }

  /** What it is good for, as it was told last. */
  get facts() {
    if (!this.#facts) throw new Error('a session has facts once it has begun');
    return this.#facts;
  }

  get administrates() {
    return this.facts.instance_admin || this.facts.communities.some((one) => one.manages);
  }

  /** Whether the viewer may say who may do what in a community. @param {string} community */
  isAdminOf(community) {
    const { communities, instance_admin: everywhere } = this.facts;
    return everywhere || communities.some((one) => one.id === community && one.administrates);
  }

  /**
   * Goes on with another token, of the same person. Throws Problem if it is not taken.
   *
   * @param {string} token
   */
  async resume(token) {
    const facts = await this.#shown(token);
    const another = facts.identity !== this.facts.identity;
    this.#take(facts);
    if (another) return location.reload(); // nothing of the page is theirs
    this.expired = false;
    this.dispatchEvent(new Event('resumed'));
  }

  /** Ends this session and the viewer's others, wherever they are. Throws Problem. */
  async leaveEverywhere() {
    await this.api.delete('/sessions');
    this.leave();
  }

  /** Signs out here: the service is not told, and the token ends by itself. */
  leave() {
    this.drop();
    forget();
    this.dispatchEvent(new Event('end'));
  }

  /** Ends it without a word: another one has the tab. */
  drop() {
    this.#ending.abort();
    clearTimeout(this.#timer);
  }

  /**
   * @param {string} token
   * @returns {Promise<SessionView>}
   */
  #shown(token) {
    return this.api.post('/session', {}, { Authorization: `Bearer ${token.trim()}` });
  }

  /** @param {SessionView} told */
  #take({ token, ...facts }) {
    if (this.#ending.signal.aborted) return;
    this.#token = token;
    this.#facts = facts;
    sessionStorage.setItem(KEPT, token);
    const life = this.#expiry - this.api.now();
    this.#renewIn(Math.max(life * RENEW_AT, 1_000));
    this.dispatchEvent(new Event('change'));
  }

  /** When the token's life ends. */
  get #expiry() {
    return Date.parse(this.facts.expires_at);
  }

  /** @param {number} milliseconds */
  #renewIn(milliseconds) {
    clearTimeout(this.#timer);
    this.#renewAt = Date.now() + milliseconds;
    this.#timer = setTimeout(() => this.#renew(), milliseconds);
  }

  #lookAgain() {
    if (!document.hidden && Date.now() >= this.#renewAt) void this.#renew();
  }

  async #renew() {
    if (this.expired) return;
    const now = this.api.now();
    const shown = this.#token;
    if (shown === null || this.#expiry <= now) return this.#refused(shown);
    // Renewed for the last time already, and good until it expires.
    const last = Date.parse(this.facts.renewable_until) <= this.#expiry;
    if (last) return this.#renewIn(this.#expiry - now);
    try {
      const facts = await this.#shown(shown);
      if (shown === this.#token) this.#take(facts);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 401) this.#refused(shown);
      else this.#renewIn(LOOK_MS);
    }
  }

  /** @param {string | null} token */
  #refused(token) {
    // One that was only shown is not this tab's.
    const mine = token !== null && token === this.#token;
    if (!mine || this.expired || this.#ending.signal.aborted) return;
    this.expired = true;
    clearTimeout(this.#timer);
    forget();
    this.dispatchEvent(new Event('expired'));
  }
}

/** The token in the URL's fragment, which is taken out of it and of the history; null without. */
export function broughtToken() {
  const found = /^#token=([^&]+)/.exec(location.hash);
  if (!found) return null;
  history.replaceState(null, '', location.pathname);
  return found[1]; // its letters need no encoding
}

/** This tab's token is good for nothing any more. */
export function forget() {
  sessionStorage.removeItem(KEPT);
}
