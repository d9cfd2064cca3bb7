// Asking the service, as whoever the session is of.

import { whenAny } from './abort.js';

/**
 * A problem document of the service, or what stands for one; some have facts of their kind.
 * @typedef {{type?: string, title?: string, status?: number, detail?: string, limit?: number,
 *   max_seconds?: number, needed_bytes?: number, quota_bytes?: number, reserved_bytes?: number,
 *   retry_after?: number, used_bytes?: number}} Document
 */

/** @typedef {Record<string, string | number | boolean | null | undefined>} Query */

/** @typedef {'open' | 'lost'} StreamState */

/** @import { CaptureView } from '../types.js' */

/** The states that a capture stays in. @type {readonly CaptureView['status'][]} */
export const FINAL = ['ready', 'failed', 'cancelled'];

const VERSION = '/v1';
const PATIENCE_MS = 30_000;
const AGAIN_MS = [500, 1_000, 2_000, 5_000];
const SILENCE_MS = 45_000; // three heartbeats

/** What the service refused, or why it was not reached. `type` is the stable slug. */
export class Problem extends Error {
  /**
   * @param {number} status 0: the service was not reached
   * @param {Document} document
   */
  constructor(status, document) {
    super(document.detail || document.title || String(status));
    this.name = 'Problem';
    this.status = status;
    this.type = document.type ?? 'unknown';
    this.document = document;
  }
}

/** Whether something failed because nobody wants it any more. @param {unknown} error */
export const isAborted = (error) => error instanceof Error && error.name === 'AbortError';

export class Api {
  #ahead = { least: -Infinity, most: Infinity }; // how far the service's clock is before ours, in ms

  /**
   * `token()` gives the session's token; `refused(token)` is called when one was not taken.
   *
   * @param {{token: () => string | null, refused: (token: string | null) => void}} session
   */
  constructor({ token, refused }) {
    this.token = token;
    this.refused = refused;
  }

  /**
   * The URL of a path that the service gave, wherever the page lies. Other methods take paths
   * without the version.
   *
   * @param {string} path
   * @param {Query} query
   */
  url(path, query = {}) {
    const url = new URL(path.replace(/^\//, ''), document.baseURI);
    for (const [name, value] of Object.entries(query)) {
      if (value !== null && value !== undefined && value !== '') url.searchParams.set(name, String(value));
    }
    return url.href;
  }

  /**
   * The JSON of the answer, as every method gives it. Throws Problem.
   *
   * @template T
   * @param {string} path
   * @param {Query} [query]
   * @param {{signal?: AbortSignal}} options
   * @returns {Promise<T>}
   */
  get(path, query, { signal } = {}) {
    return this.#ask('GET', this.url(VERSION + path, query), undefined, {}, signal);
  }

  /**
   * The whole answer to a GET, of what is not JSON. Throws Problem as the others do.
   *
   * @param {string} path
   * @param {Query} [query]
   * @param {{headers?: Record<string, string>, signal?: AbortSignal}} options
   */
  answer(path, query, { headers = {}, signal } = {}) {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    return this.#fetch(this.url(VERSION + path, query), {
      headers,
      signal: signal ? whenAny([patience, signal]) : patience,
    });
  }

  /** The service's clock, in milliseconds since 1970: right within a second. */
  now() {
    const { least, most } = this.#ahead;
    if (least <= 0 && most >= 0) return Date.now(); // as far as can be told, the clocks agree
    return Date.now() + (least + most) / 2;
  }

  /**
   * @template T
   * @param {string} path
   * @param {object} body
   * @param {Record<string, string>} headers
   * @returns {Promise<T>}
   */
  post(path, body = {}, headers = {}) {
    return this.#ask('POST', this.url(VERSION + path), body, headers);
  }

  /**
   * @template T
   * @param {string} path
   * @param {object} body
   * @returns {Promise<T>}
   */
  put(path, body) {
    return this.#ask('PUT', this.url(VERSION + path), body);
  }

  /**
   * @template T
   * @param {string} path
   * @param {object} body
   * @returns {Promise<T>}
   */
  patch(path, body) {
    return this.#ask('PATCH', this.url(VERSION + path), body);
  }

  /**
   * @template T
   * @param {string} path
   * @returns {Promise<T>}
   */
  delete(path) {
    return this.#ask('DELETE', this.url(VERSION + path));
  }

  /**
   * @param {string} method
   * @param {string} url
   * @param {object} [body]
   * @param {Record<string, string>} headers
   * @param {AbortSignal} [signal]
   */
  async #ask(method, url, body, headers = {}, signal) {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    const answer = await this.#fetch(url, {
      method,
      headers: body === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? whenAny([patience, signal]) : patience,
    });
    const told = await answer.text(); // nothing with 204, and with some 202
    return told ? JSON.parse(told) : null;
  }

  /**
   * @param {string} url
   * @param {{method?: string, headers: Record<string, string>, body?: string, signal: AbortSignal}} options
   */
  async #fetch(url, options) {
    const token = this.token();
    const headers = { Authorization: `Bearer ${token}`, ...options.headers };
    let answer;
    const asked = Date.now();
    try {
      answer = await fetch(url, { ...options, headers, cache: 'no-store' });
      this.#compare(asked, Date.parse(answer.headers.get('Date') ?? ''));
    } catch (error) {
      if (isAborted(error)) throw error;
      throw unreachable(error);
    }
    if (answer.ok) return answer;
    const document = await answer.json().catch(() => ({ title: answer.statusText }));
    if (answer.status === 401) this.refused(token);
    throw new Problem(answer.status, document);
  }

  /**
   * `told`, the answer's Date, is cut to the second, and servers renew it once a second.
   *
   * @param {number} asked
   * @param {number} told
   */
  #compare(asked, told) {
    if (Number.isNaN(told)) return;
    const [least, most] = [told - Date.now(), told + 2_000 - asked];
    const known = this.#ahead;
    const fits = least <= known.most && most >= known.least;
    this.#ahead = fits
      ? { least: Math.max(least, known.least), most: Math.min(most, known.most) }
      : { least, most };
  }

  /**
   * Listens to server-sent events of a path until `signal` aborts, again and again if the service
   * goes away. `onEvent(type, data)` gets each, its JSON parsed; `onState('open' | 'lost', problem)`
   * tells whether they come: a stream that ends, as each does with its token, and is there again at
   * once is not lost. It reads the stream itself because EventSource can't send a header, and a
   * token has no place in a URL. Ends, with the Problem thrown, when the service refuses.
   *
   * @template Data
   * @param {string} path
   * @param {Query} query
   * @param {{onEvent: (type: string, data: Data) => void, signal: AbortSignal,
   *   onState?: (state: StreamState, problem: unknown) => void}} hearing
   */
  async events(path, query, { onEvent, onState = () => {}, signal }) {
    for (let failures = 0, opened = false; !signal.aborted; opened = false) {
      /** @type {unknown} */
      let problem = null;
      try {
        await this.#listen(this.url(VERSION + path, query), signal, onEvent, () => {
          failures = 0;
          opened = true;
          onState('open', null);
        });
      } catch (error) {
        problem = error;
        if (signal.aborted) return;
        const lasting = error instanceof Problem && [401, 403, 404].includes(error.status);
        if (lasting) throw error;
      }
      if (signal.aborted) return;
      if (!opened) onState('lost', problem);
      await pause(AGAIN_MS[Math.min(failures++, AGAIN_MS.length - 1)], signal);
    }
  }

  /**
   * @template Data
   * @param {string} url
   * @param {AbortSignal} signal
   * @param {(type: string, data: Data) => void} onEvent
   * @param {() => void} onOpen
   */
  async #listen(url, signal, onEvent, onOpen) {
    const silence = new AbortController();
    /** @type {number | undefined} */
    let timer;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
    };
    heard();
    try {
      const answer = await this.#fetch(url, {
        headers: { Accept: 'text/event-stream' },
        signal: whenAny([signal, silence.signal]),
      });
      onOpen();
      const reader = streamOf(answer).pipeThrough(new TextDecoderStream()).getReader();
      const parser = new EventParser(onEvent);
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        heard();
        parser.push(value);
      }
    } finally {
      clearTimeout(timer);
      silence.abort(); // `signal` may last, and would keep what listens to it
    }
  }
}

/** What to tell of a service that was not reached. @param {unknown} error */
export function unreachable(error) {
  return new Problem(0, { type: 'unreachable', detail: error instanceof Error ? error.message : '' });
}

/** @param {Response} answer */
function streamOf({ body }) {
  if (!body) throw new TypeError('an answer of events has a body');
  return body;
}

/**
 * The wire format of server-sent events, as far as this service writes it.
 *
 * @template Data
 */
export class EventParser {
  #rest = '';
  #type = 'message';
  /** @type {string[]} */
  #data = [];

  /** @param {(type: string, data: Data) => void} onEvent */
  constructor(onEvent) {
    this.onEvent = onEvent;
  }

  /** @param {string} text */
  push(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
  }

  /** @param {string} line */
  #line(line) {
    if (line === '') {
      if (this.#data.length) this.onEvent(this.#type, JSON.parse(this.#data.join('\n')));
      this.#type = 'message';
      this.#data = [];
      return;
    }
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === 'event') this.#type = value;
    else if (name === 'data') this.#data.push(value);
  }
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const over = () => (clearTimeout(timer), signal.removeEventListener('abort', over), resolve(undefined));
    const timer = setTimeout(over, milliseconds);
    signal.addEventListener('abort', over);
  });
}
