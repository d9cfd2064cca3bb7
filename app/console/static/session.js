// Who is looking: a token that came in, exchanged for one of the service's own, kept in this tab.

import { Api, Problem } from './api.js';

const KEPT = 'replay.session';
const RENEW_AT = 0.6; // of its life
const LOOK_MS = 20_000;

/**
 * A session. Tells `change` when rights or expiry have changed, `end` when it is over.
 *
 * `facts`: what POST /session answered: identity, room, room_admin, instance_admin, expires_at,
 * communities [{id, role, grants, manages}], limits {…}.
 */
export class Session extends EventTarget {
  #token;
  #timer;

  constructor(token) {
    super();
    this.#token = token;
    this.facts = null;
    this.api = new Api({ token: () => this.#token, refused: () => this.end('expired') });
  }

  /** The session that this tab has, or that the URL's fragment brings; null if there is none. */
  static async found() {
    const brought = broughtToken();
    const token = brought ?? sessionStorage.getItem(KEPT);
    return token ? Session.begun(token) : null;
  }

  /** Exchanges a token. Throws Problem if the service doesn't take it. */
  static async begun(token) {
    const session = new Session(token.trim());
    await session.#exchange();
    return session;
  }

  get administrates() {
    return this.facts.instance_admin || this.facts.communities.some((one) => one.manages);
  }

  async #exchange() {
    const facts = await this.api.post('/session');
    this.#token = facts.token;
    delete facts.token;
    this.facts = facts;
    sessionStorage.setItem(KEPT, this.#token);
    const life = Date.parse(facts.expires_at) - Date.now();
    this.#plan(Math.max(life * RENEW_AT, 1_000));
    this.dispatchEvent(new Event('change'));
  }

  #plan(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#renew(), milliseconds);
  }

  async #renew() {
    if (Date.parse(this.facts.renewable_until) <= Date.now()) return this.end('expired');
    try {
      await this.#exchange();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 401 || this.over) return;
      if (Date.parse(this.facts.expires_at) <= Date.now()) this.end('expired');
      else this.#plan(LOOK_MS);
    }
  }

  /** `why`: 'expired' or 'left'. */
  end(why) {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.#timer);
    sessionStorage.removeItem(KEPT);
    this.dispatchEvent(new CustomEvent('end', { detail: why }));
  }
}

/** The token in the URL's fragment, which is taken out of it and of the history. */
function broughtToken() {
  const found = /^#token=([^&]+)/.exec(location.hash);
  if (!found) return null;
  history.replaceState(null, '', location.pathname);
  return decodeURIComponent(found[1]);
}
