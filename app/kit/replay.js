// Instant replay in a LiveKit app: one module, no build, no dependencies. See README.md.

/**
 * The types of this module, which stand in replay.d.ts.
 * @import { AttachOptions, Badge, BufferView, ClipOptions, ClipView, Connection, HeardClip, MarkOptions,
 *   MarkerView, ParticipantLike, Problem, Progress, Replay, Result, RoomLike } from './replay.js'
 */

// By a name, since webpack takes what stands in new URL(…, import.meta.url) for a file to bundle.
const HERE = import.meta.url;
const TOPIC = 'replay';
const BUFFERED = 'replay.buffered'; // the attribute by which the service shows that it records
const BACK_OFF_MS = [500, 1_000, 2_000, 5_000, 10_000, 30_000];
const PATIENCE_MS = 30_000;
const SILENCE_MS = 45_000; // three heartbeats of a stream
const TRIES = 4;
const MOST_FAILURES = 14; // of a capture's stream, one after another: some five minutes
const RECENT_MS = 60_000; // a share that ended so shortly before is still meant
const MOST_KNOWN = 1_000;
const UNREACHED = { type: 'unreachable', title: 'The replay service was not reached' };
const FINAL = new Set(['ready', 'failed', 'cancelled']);
const MODIFIERS = new Map(
  Object.entries({ alt: 'alt', ctrl: 'ctrl', meta: 'meta', shift: 'shift', option: 'alt', control: 'ctrl', cmd: 'meta' }),
);
const CHANGES = [
  'connected', 'disconnected', 'reconnected', 'participantAttributesChanged', 'participantDisconnected',
  'localTrackPublished', 'localTrackUnpublished', 'trackPublished', 'trackUnpublished',
];

/** What the elements say. Set another language before the first is shown. */
export const texts = {
  clip: 'Clip that',
  saving: 'Saving…',
  saved: 'Watch the clip',
  kept: 'Clip saved',
  recording: 'REC',
  starting: 'REC…',
  off: 'Not recorded',
  'opted-out': 'Opted out',
  idle: '',
};

/** What went wrong, on its way to becoming a value. */
class Refusal extends Error {
  /**
   * @param {Partial<Problem>} problem
   * @param {number} [wait] after how many ms it may be tried again
   */
  constructor(problem, wait) {
    super(problem.detail || problem.title);
    const { status = 0 } = problem;
    const type = problem.type || 'unknown';
    const title = problem.title || (status ? `HTTP ${status}` : type);
    this.problem = { ...problem, type, title, status, detail: problem.detail || title };
    this.wait = wait;
  }

  /** Whether to ask again at once may help. */
  get passes() {
    const { status, type } = this.problem;
    return (type === 'unreachable' && !status) || type === 'too-many-requests' || [502, 503, 504].includes(status);
  }

  /** Whether it is an answer that stays, until somebody's rights or a proxy change. */
  get lasts() {
    return [403, 404, 410].includes(this.problem.status);
  }
}

/** @param {unknown} error */
const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/** @param {unknown} error @param {AbortSignal} [signal] */
function refusalOf(error, signal) {
  if (signal?.aborted) return new Refusal({ type: 'aborted', title: 'Nobody waits for it any more' });
  if (error instanceof Refusal) return error;
  return new Refusal({ title: 'Something unexpected went wrong', detail: messageOf(error) });
}

/** @param {Response} answer */
async function refusalIn(answer) {
  const document = await answer.json().catch(() => null);
  const seconds = Number(answer.headers.get('Retry-After') || NaN);
  const told = document && typeof document === 'object' ? document : { title: answer.statusText };
  return new Refusal({ ...told, status: answer.status }, Number.isNaN(seconds) ? undefined : seconds * 1_000);
}

/** Any failure becomes a value. @template T @param {() => Promise<T>} work @param {AbortSignal} [signal] */
async function settled(work, signal) {
  try {
    return { ok: /** @type {const} */ (true), ...(await work()) };
  } catch (error) {
    return { ok: /** @type {const} */ (false), error: refusalOf(error, signal).problem };
  }
}

/** @param {number} failures */
function backOff(failures) {
  return BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length - 1)] * (0.75 + Math.random() / 2);
}

/** @param {number} milliseconds @param {AbortSignal} [signal] @returns {Promise<void>} */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, milliseconds);
    if (signal?.aborted) over();
    else signal?.addEventListener('abort', over);
  });
}

/** Calls what the app gave: its faults are the app's. @template T @param {(told: T) => void} handler @param {T} told */
function tell(handler, told) {
  try {
    handler(told);
  } catch (error) {
    console.error(error);
  }
}

/** A text that no two calls share, in pages without TLS, too. */
function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The service, asked with the token that the app gives. */
class Service {
  /** @type {Promise<string> | null} */
  #token = null;

  /** @param {string} url @param {AttachOptions['token']} token */
  constructor(url, token) {
    this.url = url.endsWith('/') ? url : `${url}/`;
    this.token = async () => {
      const given = typeof token === 'function' ? await token() : token;
      if (!given) throw new Error(`what should be a token is ${JSON.stringify(given)}`);
      return given;
    };
  }

  /** Where something lies that the service told of by a path, or by a whole URL. @param {string} path */
  at(path) {
    return new URL(path.replace(/^\//, ''), this.url).href;
  }

  /**
   * A row whose URLs lead somewhere from any page.
   * @template {object} T
   * @param {T} view
   * @returns {T}
   */
  shown(view) {
    const led = Object.entries(view).filter(([name, value]) => name.endsWith('_url') && value);
    return { ...view, ...Object.fromEntries(led.map(([name, value]) => [name, this.at(value)])) };
  }

  /** The JSON of the answer; what passes is tried again. Throws Refusal.
   * @param {string} method
   * @param {string} path below the version
   * @param {{body?: object, key?: string, signal?: AbortSignal}} options
   */
  async ask(method, path, { body, key, signal } = {}) {
    /** @type {Record<string, string>} */
    const headers = {};
    if (body) headers['Content-Type'] = 'application/json';
    if (key) headers['Idempotency-Key'] = key;
    for (let tried = 1; ; tried++) {
      const patience = AbortSignal.timeout(PATIENCE_MS);
      try {
        const answer = await this.#send(path, {
          method,
          headers,
          body: body && JSON.stringify(body),
          signal: signal ? AbortSignal.any([signal, patience]) : patience,
        });
        const told = await answer.text().catch((error) => this.#unreached(error));
        try {
          return told ? JSON.parse(told) : null;
        } catch {
          throw this.#strange(answer, 'JSON');
        }
      } catch (error) {
        const refusal = refusalOf(error, signal);
        const wait = refusal.wait ?? backOff(tried - 1);
        if (!refusal.passes || tried >= TRIES || wait > PATIENCE_MS) throw refusal;
        await pause(wait, signal);
      }
    }
  }

  /**
   * Listens to a stream of events, again and again, until `hear(type, data)` gives true or `signal` aborts.
   * `turn` is told of each change of the connection, and how often it has failed since something was heard; it may
   * end the listening, too: by true, or by what it throws.
   * @param {string} path
   * @param {{hear: (type: string, data: any) => boolean | void, signal: AbortSignal,
   *   turn: (state: Connection, problem: Problem | null, failures: number) => unknown}} hearing
   */
  async listen(path, { hear, signal, turn }) {
    for (let failures = 0; !signal.aborted; failures++) {
      let refusal = null;
      try {
        const heard = (/** @type {string} */ type, /** @type {any} */ data) => {
          failures = 0;
          return hear(type, data);
        };
        if (await this.#stream(path, heard, signal, () => turn('open', null, 0))) return;
      } catch (error) {
        refusal = refusalOf(error, signal);
      }
      if (signal.aborted) return;
      const state = refusal?.lasts ? 'refused' : 'lost';
      if (refusal && (await turn(state, refusal.problem, failures))) return;
      await pause(refusal?.wait ?? backOff(state === 'refused' ? Infinity : failures), signal);
    }
  }

  /** @param {string} path @param {RequestInit} init */
  async #send(path, init) {
    for (let renewed = false; ; renewed = true) {
      const given = (this.#token ??= Promise.resolve().then(this.token));
      let token;
      try {
        token = await given;
      } catch (error) {
        if (this.#token === given) this.#token = null;
        throw new Refusal({ type: 'no-token', title: 'The app gave no token', detail: messageOf(error) });
      }
      const headers = { ...init.headers, Authorization: `Bearer ${token}` };
      const asked = { ...init, headers, cache: /** @type {const} */ ('no-store'), credentials: /** @type {const} */ ('omit') };
      const answer = await fetch(this.at(`v1/${path}`), asked).catch((error) => this.#unreached(error));
      if (answer.ok) return answer;
      if (answer.status === 401 && this.#token === given) this.#token = null;
      if (answer.status !== 401 || renewed) throw await refusalIn(answer);
    }
  }

  /**
   * Nobody answers, or nothing that this page may read: browsers don't say which. Throws the Refusal.
   * @param {Error} error
   * @returns {never}
   */
  #unreached({ message }) {
    const { origin } = new URL(this.url);
    const here = globalThis.location?.origin ?? origin;
    const named = here === origin ? '' : `, and do its CORS_ORIGINS name ${here}`;
    throw new Refusal({ ...UNREACHED, detail: `${message}: does the service run at ${origin}${named}?` });
  }

  /** Another answers: pages that are given for any path say 200, too. @param {Response} answer @param {string} wanted */
  #strange({ status, headers }, wanted) {
    const told = headers.get('Content-Type') ?? 'nothing';
    return new Refusal({ ...UNREACHED, status, detail: `${this.url} answers ${told}, not ${wanted}: is it the service?` });
  }

  /**
   * @param {string} path
   * @param {(type: string, data: any) => boolean | void} hear
   * @param {AbortSignal} signal
   * @param {() => void} opened
   */
  async #stream(path, hear, signal, opened) {
    const silence = new AbortController();
    const within = AbortSignal.any([signal, silence.signal]);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
    };
    heard();
    try {
      const answer = await this.#send(path, { headers: { Accept: 'text/event-stream' }, signal: within });
      if (!answer.headers.get('Content-Type')?.startsWith('text/event-stream')) {
        silence.abort();
        throw this.#strange(answer, 'a stream of events');
      }
      opened();
      const reader = /** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader();
      const text = new TextDecoder();
      for (let rest = ''; ; ) {
        const { value, done } = await reader.read().catch((error) => this.#unreached(error));
        if (done) return false;
        heard();
        const events = (rest + text.decode(value, { stream: true })).split(/\r\n\r\n|\n\n|\r\r/);
        rest = events.pop() ?? '';
        for (const event of events) {
          const { type, data } = read(event);
          if (!data || !hear(type, JSON.parse(data))) continue;
          silence.abort(); // nobody reads on
          return true;
        }
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

/** One server-sent event. @param {string} event */
function read(event) {
  let type = 'message';
  const data = [];
  for (const line of event.split(/\r\n|\n|\r/)) {
    const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (name === 'event') type = value;
    else if (name === 'data') data.push(value);
  }
  return { type, data: data.join('\n') };
}

/** @implements {Replay} */
class AttachedReplay {
  /** @type {Connection} */
  connection = 'closed';
  /** @type {Problem | null} */
  problem = null;
  #service;
  /** @type {Map<string, BufferView>} */
  #buffers = new Map();
  /** @type {Set<(replay: Replay) => void>} */
  #watching = new Set();
  /** @type {Set<(heard: HeardClip) => void>} */
  #clipping = new Set();
  /** @type {Set<string>} */
  #known = new Set(); // ids of the messages that were heard
  #ending = new AbortController();
  #closing = new AbortController();

  /** @param {RoomLike} room @param {AttachOptions} options */
  constructor(room, { token, url = new URL('..', HERE).href }) {
    this.room = room;
    this.#service = new Service(url, token);
    for (const event of CHANGES) room.on(event, this.#roomChanged);
    room.on('dataReceived', this.#said);
    this.#roomChanged();
  }

  get optedOut() {
    return this.room.localParticipant.attributes?.[TOPIC] === 'off';
  }

  /** @param {string} [identity] @returns {Badge} */
  badge(identity = this.room.localParticipant.identity) {
    const person = this.room.getParticipantByIdentity(identity);
    const buffer = this.#newest(({ sharer, state }) => sharer === identity && state !== 'ended');
    const why = buffer?.why ?? null;
    const about = { why, detail: buffer?.why_detail ?? '', buffer };
    if (person?.attributes?.[TOPIC] === 'off' || why === 'opted-out') return { state: 'opted-out', ...about };
    if (buffer?.state === 'stalled') return { state: 'starting', ...about };
    if (person?.attributes?.[BUFFERED] === 'on' || ['recording', 'lagging'].includes(buffer?.state ?? '')) {
      return { state: 'recording', ...about };
    }
    if (!buffer && !person?.isScreenShareEnabled) return { state: 'idle', ...about };
    if (buffer?.state === 'refused' || (why && why !== 'starting')) return { state: 'off', ...about };
    if (this.connection !== 'open' && this.connection !== 'connecting') {
      return { state: 'off', ...about, detail: this.problem?.detail ?? '' };
    }
    // Of others whose shares one does not see, LiveKit's attribute says all that is known.
    const known = buffer || this.connection === 'connecting' || identity === this.room.localParticipant.identity;
    return { state: known ? 'starting' : 'off', ...about };
  }

  /** @param {ClipOptions} options @returns {ReturnType<Replay['clip']>} */
  async clip({ last = 30, title, sharer = this.#meant(), link = true, onProgress = () => {}, signal: given } = {}) {
    const closed = this.#closing.signal;
    const signal = given ? AbortSignal.any([given, closed]) : closed;
    const made = await settled(async () => {
      const body = { room: this.room.name, last, title, sharer };
      const { id } = await this.#service.ask('POST', 'captures', { body, key: freshKey(), signal });
      return { clip: this.#service.shown(await this.#made(id, onProgress, signal)), link: null };
    }, signal);
    if (!made.ok || !link) return made;
    const opened = await settled(async () => {
      const change = { body: { visibility: 'link' }, signal };
      /** @type {ClipView} */
      const clip = await this.#service.ask('PATCH', `clips/${made.clip.id}`, change);
      return { clip: this.#service.shown(clip), link: clip.page_url };
    }, signal);
    return opened.ok ? opened : { ...opened, clip: made.clip };
  }

  /** @param {string} label @param {MarkOptions} options @returns {ReturnType<Replay['mark']>} */
  mark(label = '', { sharer = this.#meant() } = {}) {
    return settled(async () => {
      const room = this.room.name;
      let buffer = this.#newest((each) => each.sharer === sharer);
      if (!buffer) {
        const query = new URLSearchParams({ room, sharer });
        buffer = (await this.#service.ask('GET', `buffers?${query}`)).items[0] ?? null;
      }
      if (!buffer) throw new Refusal({ type: 'no-share', title: 'No share is there to be marked' });
      const asked = { body: { label }, key: freshKey() };
      return { /** @type {MarkerView} */ marker: await this.#service.ask('POST', `buffers/${buffer.id}/markers`, asked) };
    });
  }

  /** @param {boolean} out @returns {ReturnType<Replay['optOut']>} */
  optOut(out = true) {
    return settled(async () => {
      try {
        await this.room.localParticipant.setAttributes({ [TOPIC]: out ? 'off' : '' });
      } catch (error) {
        const title = 'LiveKit did not take the attribute';
        const detail = messageOf(error);
        if (!/permission/i.test(detail)) throw new Refusal({ type: 'unreachable', title, detail });
        const granted = `${detail}: the token must grant canUpdateOwnMetadata`;
        throw new Refusal({ type: 'not-permitted', title, detail: granted });
      }
      this.#changed();
      return {};
    });
  }

  /** @param {string} id @returns {ReturnType<Replay['getClip']>} */
  getClip(id) {
    return settled(async () => {
      const clip = await this.#service.ask('GET', `clips/${encodeURIComponent(id)}`);
      return { clip: this.#service.shown(/** @type {ClipView} */ (clip)) };
    });
  }

  /** @param {(heard: HeardClip) => void} handler */
  onClip(handler) {
    this.#clipping.add(handler);
    return () => void this.#clipping.delete(handler);
  }

  /** @param {(replay: Replay) => void} handler */
  onChange(handler) {
    this.#watching.add(handler);
    return () => void this.#watching.delete(handler);
  }

  close() {
    for (const event of CHANGES) this.room.off(event, this.#roomChanged);
    this.room.off('dataReceived', this.#said);
    this.#end();
    this.#closing.abort();
    if (current === this) current = null;
    this.#changed();
  }

  /** @param {(buffer: BufferView) => boolean} wanted */
  #here(wanted) {
    return [...this.#buffers.values()].filter((each) => each.room === this.room.name && wanted(each));
  }

  /** Whose share is meant where nobody is named: one's own, or that of the only one who shares, or did just now. */
  #meant() {
    const { identity, isScreenShareEnabled } = this.room.localParticipant;
    const since = Date.now() - RECENT_MS;
    const shares = this.#here(({ state, ended_at: end }) => state !== 'refused' && (!end || Date.parse(end) > since));
    const [only = identity, ...more] = new Set(shares.map(({ sharer }) => sharer));
    return isScreenShareEnabled || more.length ? identity : only;
  }

  /** The newest share in the room that is of some kind. @param {(buffer: BufferView) => boolean} wanted */
  #newest(wanted) {
    return this.#here(wanted).reduce(
      (/** @type {BufferView | null} */ best, each) => (best && best.started_at > each.started_at ? best : each),
      null,
    );
  }

  /**
   * Waits for a capture's end. Throws Refusal.
   * @param {string} id
   * @param {(progress: Progress) => void} onProgress
   * @param {AbortSignal} signal
   * @returns {Promise<ClipView>}
   */
  async #made(id, onProgress, signal) {
    const held = { now: /** @type {Progress | null} */ (null) };
    const hear = (/** @type {string} */ _, /** @type {Progress} */ progress) => {
      held.now = progress;
      tell(onProgress, progress);
      return FINAL.has(progress.status);
    };
    await this.#service.listen(`captures/${id}/events`, {
      hear,
      signal,
      turn: async (_, problem, failures) => {
        if (!problem) return false;
        const { status, type } = problem;
        // So many tabs listen already: this one asks.
        if (status === 429) return hear('', await this.#service.ask('GET', `captures/${id}`, { signal }));
        const mayPass = type === 'unreachable' || status === 408 || status >= 500;
        if (!mayPass || failures >= MOST_FAILURES) throw new Refusal(problem);
        return false;
      },
    });
    const { now } = held;
    if (now?.clip) return now.clip;
    if (!now || !FINAL.has(now.status)) throw refusalOf(null, signal);
    const { status, reason, detail } = now;
    if (status === 'ready') throw new Refusal({ type: 'gone', title: 'The clip was deleted' });
    throw new Refusal({ type: reason ?? status, title: `The capture is ${status}`, detail: detail || undefined });
  }

  #roomChanged = () => {
    const connected = this.room.state === 'connected';
    if (connected && this.connection === 'closed') void this.#begin();
    else if (this.room.state === 'disconnected') this.#end();
    this.#changed();
  };

  async #begin() {
    this.#ending = new AbortController();
    const { signal } = this.#ending;
    this.#turn('connecting', null);
    await this.#service.listen(`buffers/events?${new URLSearchParams({ room: this.room.name })}`, {
      hear: (type, data) => this.#take(type, data),
      turn: (state, problem) => this.#turn(state, problem),
      signal,
    });
  }

  #end() {
    this.#ending.abort();
    this.#buffers.clear();
    this.#turn('closed', null);
  }

  /** @param {Connection} state @param {Problem | null} problem */
  #turn(state, problem) {
    const { type, detail } = this.problem ?? {};
    const isNew = this.connection !== state || type !== problem?.type || detail !== problem?.detail;
    this.problem = problem;
    this.connection = state;
    if (state === 'refused') this.#buffers.clear(); // one may see them no more
    if (isNew) this.#changed();
  }

  /** @param {string} type @param {any} data */
  #take(type, data) {
    if (type === 'snapshot') this.#buffers.clear();
    if (type === 'gone') this.#buffers.delete(data.id);
    for (const each of type === 'snapshot' ? data.items : type === 'buffer' ? [data] : [])
      this.#buffers.set(each.id, this.#service.shown(each));
    this.#changed();
  }

  #changed() {
    for (const handler of this.#watching) tell(handler, this);
    for (const each of elements) each.update();
  }

  /**
   * A data message: the service's come from no participant. What it says is only believed after the service, asked,
   * shows such a clip.
   * @param {Uint8Array} payload
   * @param {ParticipantLike} [from]
   * @param {unknown} [_kind]
   * @param {string} [topic]
   */
  #said = async (payload, from, _kind, topic) => {
    if (from || topic !== TOPIC || !this.#clipping.size) return;
    let told;
    try {
      told = JSON.parse(new TextDecoder().decode(payload));
    } catch {
      return;
    }
    const { event, id, replay } = told ?? {};
    if (!['capture_ready', 'clip_shared'].includes(event) || this.#known.has(id)) return;
    if (this.#known.size > MOST_KNOWN) this.#known.clear();
    this.#known.add(id);
    const found = await this.getClip(String(replay?.clip_id));
    if (found.ok) for (const handler of this.#clipping) tell(handler, { event, clip: found.clip });
  };
}

/** The replay that elements belong to which have none of their own: the one that was attached last. @type {Replay | null} */
let current = null;

/** @type {Set<ReplayElement>} */
const elements = new Set();

/** @type {typeof import('./replay.js').attach} */
export function attach(room, options) {
  current = new AttachedReplay(room, options);
  for (const each of elements) each.update();
  return current;
}

/**
 * Makes an element of a shadow, which pages style by its part.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} part
 * @param {Partial<HTMLElementTagNameMap[Tag]>} members
 */
function partOf(tag, part, members = {}) {
  const made = Object.assign(document.createElement(tag), members);
  made.part.add(part);
  return made;
}

/** What the elements share. In node there are none. */
const Base = globalThis.HTMLElement ?? /** @type {typeof HTMLElement} */ (/** @type {unknown} */ (class {}));

class ReplayElement extends Base {
  /** @type {Replay | null} */
  #own = null;

  get replay() {
    return this.#own ?? current;
  }

  set replay(replay) {
    this.#own = replay;
    this.update();
  }

  connectedCallback() {
    if (!this.shadowRoot) this.draw(this.attachShadow({ mode: 'open' }));
    elements.add(this);
    this.update();
  }

  disconnectedCallback() {
    elements.delete(this);
  }

  attributeChangedCallback() {
    if (this.isConnected) this.update();
  }

  /** @param {ShadowRoot} root */
  draw(root) {
    root.replaceChildren();
  }

  update() {}

  /** @param {string} name @param {unknown} detail */
  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

/** @param {EventTarget} target */
function isWritten(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, select, textarea'));
}

/** @param {ShadowRoot} root @param {string} css */
function style(root, css) {
  const sheet = new CSSStyleSheet(); // a policy without inline styles lets it in
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];
}

/**
 * `alt+c` as what must be held and the key. Throws where one of the words means nothing.
 * @param {string} text
 */
function hotkeyOf(text) {
  const words = text.toLowerCase().split('+').map((word) => word.trim());
  const key = words.pop();
  const held = words.map((word) => MODIFIERS.get(word));
  if (!key || held.includes(undefined)) {
    throw new Error(`hotkey="${text}" is no key with any of ${[...MODIFIERS.keys()].join(', ')}, such as alt+c`);
  }
  return { key, held };
}

class ClipButton extends ReplayElement {
  static observedAttributes = ['label', 'hotkey'];
  /** @type {ReturnType<typeof hotkeyOf> | null} */
  #hotkey = null;
  #busy = false;
  /** @type {HTMLButtonElement | undefined} */
  #button;
  /** @type {HTMLElement | undefined} */
  #status;

  /** @param {ShadowRoot} root @override */
  draw(root) {
    style(
      root,
      `button { font: inherit }
      output { margin-inline-start: 0.5em }
      :host([busy]) button { opacity: 0.6 }`,
    );
    this.#button = partOf('button', 'button', { type: 'button' });
    this.#status = partOf('output', 'status');
    const slot = document.createElement('slot'); // a button of the page's own takes the place of ours
    slot.append(this.#button);
    slot.addEventListener('click', () => void this.clip());
    root.append(slot, this.#status);
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    document.addEventListener('keydown', this.#onKey);
  }

  /** @override @param {string} [name] */
  attributeChangedCallback(name) {
    if (name === 'hotkey') {
      this.#hotkey = null;
      const text = this.getAttribute('hotkey');
      if (text) tell((told) => void (this.#hotkey = hotkeyOf(told)), text);
    }
    super.attributeChangedCallback();
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener('keydown', this.#onKey);
  }

  /** @override */
  update() {
    if (!this.#button) return;
    this.#button.textContent = this.getAttribute('label') ?? texts.clip;
    this.#button.disabled = !this.replay;
    this.#button.ariaDisabled = `${this.#busy}`; // disabled, it would lose the focus
    this.toggleAttribute('busy', this.#busy);
  }

  async clip() {
    const { replay } = this;
    if (this.#busy || !replay) return;
    this.#busy = true;
    this.update();
    this.#say(texts.saving);
    const last = this.getAttribute('last') ?? '30';
    const made = await replay.clip({
      last: Number(last) || last,
      title: this.getAttribute('clip-title') ?? undefined,
      sharer: this.getAttribute('sharer') ?? undefined,
      link: !this.hasAttribute('private'),
      onProgress: (progress) => this.tell('replay-progress', progress),
    });
    this.#busy = false;
    this.update();
    if (!made.ok) this.#say(made.error.detail);
    else if (made.link) {
      this.#say(partOf('a', 'link', { href: made.link, target: '_blank', rel: 'noopener', textContent: texts.saved }));
    } else this.#say(texts.kept);
    if (made.ok) this.tell('replay-clip', { clip: made.clip, link: made.link });
    else this.tell('replay-error', made.clip ? { ...made.error, clip: made.clip } : made.error);
  }

  /** @param {string | Node} said */
  #say(said) {
    this.#status?.replaceChildren(said);
  }

  /** `hotkey="alt+c"`: by the place of the key, which Alt does not change. @param {KeyboardEvent} pressed */
  #onKey = (pressed) => {
    if (!this.#hotkey || pressed.repeat) return;
    const { key, held } = this.#hotkey;
    if (!held.some((name) => name !== 'shift') && pressed.composedPath().some(isWritten)) return; // a letter there
    const down = { alt: pressed.altKey, ctrl: pressed.ctrlKey, meta: pressed.metaKey, shift: pressed.shiftKey };
    if (Object.entries(down).some(([name, isDown]) => isDown !== held.includes(name))) return;
    if (pressed.key.toLowerCase() !== key && ![`key${key}`, `digit${key}`].includes(pressed.code.toLowerCase())) return;
    pressed.preventDefault();
    void this.clip();
  };
}

class BadgeElement extends ReplayElement {
  static observedAttributes = ['identity'];
  /** @type {HTMLElement | undefined} */
  #label;

  /** @param {ShadowRoot} root @override */
  draw(root) {
    style(
      root,
      `:host { display: inline-flex; align-items: center; gap: 0.4em }
      :host([state=idle]) { display: none }
      [part=dot] { inline-size: 0.6em; block-size: 0.6em; border-radius: 50%; background: var(--replay-off, gray) }
      :host([state=recording]) [part=dot] { background: var(--replay-recording, crimson) }`,
    );
    this.#label = partOf('span', 'label', { role: 'status' });
    root.append(partOf('span', 'dot'), this.#label);
  }

  /** @override */
  update() {
    const badge = this.replay?.badge(this.getAttribute('identity') ?? undefined);
    const state = badge?.state ?? 'idle';
    this.setAttribute('state', state);
    this.title = badge?.detail || badge?.why || '';
    if (this.#label && this.#label.textContent !== texts[state]) this.#label.textContent = texts[state];
  }
}

class ClipElement extends ReplayElement {
  static observedAttributes = ['src', 'clip-id'];
  #shown = '';

  /** @param {ShadowRoot} root @override */
  draw(root) {
    style(
      root,
      `:host { display: block }
      video, iframe { display: block; inline-size: 100%; aspect-ratio: var(--replay-aspect, 16 / 9); border: 0 }`,
    );
  }

  /** @override */
  update() {
    const [src, id] = [this.getAttribute('src'), this.getAttribute('clip-id')];
    const wanted = src ?? (id && this.replay ? `#${id}` : '');
    if (!this.shadowRoot || wanted === this.#shown) return;
    this.#shown = wanted;
    if (src) this.#show(src);
    else if (id) void this.#find(id, wanted);
    else this.shadowRoot.replaceChildren();
  }

  /** @param {string} id @param {string} wanted */
  async #find(id, wanted) {
    const found = await this.replay?.getClip(id);
    if (this.#shown !== wanted) return;
    if (found?.ok) this.#show(found.clip.file_url, found.clip.poster_url, id);
    else if (found) {
      if (![403, 404, 410].includes(found.error.status)) this.#shown = ''; // found once the replay has changed, perhaps
      this.tell('replay-error', found.error);
    }
  }

  /**
   * The page of a link brings its own player; all else is a film.
   * @param {string} src
   * @param {string} [poster]
   * @param {string} [id] of the clip that it is of: it knows a new URL when this one has ended
   */
  #show(src, poster = '', id = '') {
    const url = URL.canParse(src, document.baseURI) ? new URL(src, document.baseURI) : null;
    if (!url || !/^https?:$/.test(url.protocol)) return this.#fail(`${src} is no URL of a film`);
    const page = /\/c\/[^/]+$/.test(url.pathname);
    if (page) url.pathname += '/embed';
    const { href } = url;
    const shown = page
      ? partOf('iframe', 'frame', { src: href, allowFullscreen: true })
      : partOf('video', 'video', { src: href, poster, controls: true, playsInline: true, preload: 'metadata' });
    if ('load' in shown) {
      let failures = 0;
      shown.addEventListener('error', async () => {
        if (++failures >= TRIES) return this.#fail(`${href} did not load, or is no film`);
        const { currentTime } = shown;
        await pause(backOff(failures - 1)); // others than its owner get a copy, which is there a moment later
        const found = id ? await this.replay?.getClip(id) : null;
        if (shown.isConnected) Object.assign(shown, { src: found?.ok ? found.clip.file_url : href, currentTime });
      });
    }
    this.shadowRoot?.replaceChildren(shown);
  }

  /** @param {string} detail */
  #fail(detail) {
    this.tell('replay-error', { type: 'unplayable', title: 'The film does not play', status: 0, detail });
  }
}

const ELEMENTS = { 'replay-clip-button': ClipButton, 'replay-badge': BadgeElement, 'replay-clip': ClipElement };

if (globalThis.customElements) {
  for (const [name, made] of Object.entries(ELEMENTS)) {
    if (!customElements.get(name)) customElements.define(name, made);
  }
}
