// Asking the service, as whoever the session is of.

const PATIENCE_MS = 30_000;
const AGAIN_MS = [500, 1_000, 2_000, 5_000];
const SILENCE_MS = 45_000; // three heartbeats

/** What the service refused, or why it was not reached. `type` is the stable slug. */
export class Problem extends Error {
  constructor(status, document) {
    super(document.detail || document.title || String(status));
    this.name = 'Problem';
    this.status = status;
    this.type = document.type ?? 'unknown';
    this.document = document;
  }
}

export class Api {
  #ahead = { least: -Infinity, most: Infinity }; // how far the service's clock is before ours, in ms

  /** `token()` gives the session's token; `refused(token)` is called when one was not taken. */
  constructor({ token, refused }) {
    this.token = token;
    this.refused = refused;
  }

  /** The URL of a path of the service, wherever the page lies. */
  url(path, query = {}) {
    const url = new URL(path.replace(/^\//, ''), document.baseURI);
    for (const [name, value] of Object.entries(query)) {
      if (value !== null && value !== undefined && value !== '') url.searchParams.set(name, value);
    }
    return url.href;
  }

  get(path, query, { signal } = {}) {
    return this.#ask('GET', this.url(path, query), undefined, {}, signal);
  }

  /** The whole answer to a GET, of what is not JSON. Throws Problem as the others do. */
  answer(path, query, { headers = {}, signal } = {}) {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    return this.#fetch(this.url(path, query), {
      headers,
      signal: signal ? AbortSignal.any([patience, signal]) : patience,
    });
  }

  /** The service's clock, in milliseconds since 1970: right within a second. */
  now() {
    const { least, most } = this.#ahead;
    if (least <= 0 && most >= 0) return Date.now(); // as far as can be told, the clocks agree
    return Date.now() + (least + most) / 2;
  }

  post(path, body = {}, headers = {}) {
    return this.#ask('POST', this.url(path), body, headers);
  }

  put(path, body) {
    return this.#ask('PUT', this.url(path), body);
  }

  patch(path, body) {
    return this.#ask('PATCH', this.url(path), body);
  }

  delete(path) {
    return this.#ask('DELETE', this.url(path));
  }

  async #ask(method, url, body, headers = {}, signal) {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    const answer = await this.#fetch(url, {
      method,
      headers: body === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([patience, signal]) : patience,
    });
    const told = await answer.text(); // nothing with 204, and with some 202
    return told ? JSON.parse(told) : null;
  }

  async #fetch(url, options) {
    const token = this.token();
    const headers = { Authorization: `Bearer ${token}`, ...options.headers };
    let answer;
    const asked = Date.now();
    try {
      answer = await fetch(url, { ...options, headers, cache: 'no-store' });
      this.#compare(asked, Date.parse(answer.headers.get('Date')));
    } catch (error) {
      if (error.name === 'AbortError') throw error;
      throw new Problem(0, { type: 'unreachable', detail: error.message });
    }
    if (answer.ok) return answer;
    const document = await answer.json().catch(() => ({ title: answer.statusText }));
    if (answer.status === 401) this.refused(token);
    throw new Problem(answer.status, document);
  }

  // `told`, the answer's Date, is cut to the second, and servers renew it once a second.
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
   */
  async events(path, query, { onEvent, onState = () => {}, signal }) {
    for (let failures = 0, opened = false; !signal.aborted; opened = false) {
      let problem = null;
      try {
        await this.#listen(this.url(path, query), signal, onEvent, () => {
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

  async #listen(url, signal, onEvent, onOpen) {
    const silence = new AbortController();
    let timer;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
    };
    heard();
    try {
      const answer = await this.#fetch(url, {
        headers: { Accept: 'text/event-stream' },
        signal: AbortSignal.any([signal, silence.signal]),
      });
      onOpen();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      const parser = new EventParser(onEvent);
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        heard();
        parser.push(value);
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The wire format of server-sent events, as far as this service writes it. */
export class EventParser {
  #rest = '';
  #type = 'message';
  #data = [];

  constructor(onEvent) {
    this.onEvent = onEvent;
  }

  push(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) this.#line(line);
  }

  #line(line) {
    if (line === '') {
      if (this.#data.length) this.onEvent(this.#type, JSON.parse(this.#data.join('\n')));
      this.#type = 'message';
      this.#data = [];
      return;
    }
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (name === 'event') this.#type = value;
    else if (name === 'data') this.#data.push(value);
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
