// The live view: a card for each share that is recorded, could be, or still has something.

import { fill, h, inNextFrame, partOf } from '../dom.js';
import { isTyping, keysOn } from '../keyboard.js';
import { called, texts } from '../texts.js';
import { Card } from './card.js';
import { checklist } from './checklist.js';
import { Filter } from './filter.js';
import { Posters } from './posters.js';

/**
 * @import { BufferView } from '../../types.js'
 * @import { Api } from '../api.js'
 * @import { LiveBuffers } from '../live.js'
 * @import { Page } from '../main.js'
 * @import { Session } from '../session.js'
 */

const own = texts.buffers;
const TICK_MS = 1_000;
const SKELETONS = 3;
const SAID_AT_ONCE = 3;
const MADE_AT_ONCE = 10; // in one frame: the page stays responsive
const WORTH_SAYING = ['refused', 'stalled', 'ended'];

/** @param {Page} page */
export function open({ session, api, live, query }) {
  const view = new Cards(session, api, live, query);
  return { title: own.title, element: view.element, keys: own.keys, close: () => view.close() };
}

class Cards {
  /** @type {Map<string, Card>} */
  #cards = new Map();
  #ending = new AbortController();

  /**
   * @param {Session} session
   * @param {Api} api
   * @param {LiveBuffers} live
   * @param {URLSearchParams} query
   */
  constructor(session, api, live, query) {
    this.session = session;
    this.live = live;
    this.posters = new Posters(api);
    this.filter = new Filter(query);
    this.heading = h('h1', {}, own.title);
    this.shown = h('p', { class: 'note', role: 'status' });
    this.said = h('p', { class: 'visually-hidden', role: 'status' });
    this.list = h('ul', { class: 'shares' });
    this.place = h('div', {});
    this.element = h(
      'section',
      { class: 'live', onkeydown: (event) => this.#press(event) },
      h('div', { class: 'row top' }, this.heading, this.shown),
      this.filter.element,
      this.list,
      this.place,
      this.said,
    );
    this.visible = new IntersectionObserver((entries) => this.#seen(entries), { rootMargin: '120px' });
    const { signal } = this.#ending;
    this.update = inNextFrame(() => void (signal.aborted || this.#update()));
    for (const source of [live, this.filter, session]) source.addEventListener('change', this.update, { signal });
    this.isFilled = false;
    this.timer = setInterval(() => this.#tick(), TICK_MS);
    this.#update();
  }

  close() {
    this.#ending.abort();
    clearInterval(this.timer);
    this.visible.disconnect();
    for (const card of this.#cards.values()) card.reel.stop();
  }

  #update() {
    const buffers = this.#inOrder();
    const rooms = shownTogether(buffers);
    this.#dropGone(new Set(buffers.map(({ id }) => id)));
    const missing = buffers.filter(({ id }) => !this.#cards.has(id));
    const later = new Set(missing.splice(MADE_AT_ONCE));
    const news = [];
    let index = 0;
    for (const buffer of buffers) {
      if (later.has(buffer)) continue;
      let card = this.#cards.get(buffer.id);
      if (!card) {
        card = this.#made(buffer);
        if (this.isFilled) news.push(own.came(buffer.sharer, buffer.room));
      } else {
        const { state } = card.buffer;
        card.update(buffer);
        if (state !== buffer.state && WORTH_SAYING.includes(buffer.state)) {
          news.push(own.went(buffer.sharer, called(own.states, buffer.state) ?? buffer.state));
        }
      }
      // Those that are there stay where they are: their order never changes.
      const there = this.list.children[index++] ?? null;
      if (there !== card.element) this.list.insertBefore(card.element, there);
      card.element.hidden = !this.filter.fits(buffer);
      card.all.hidden = !rooms.has(buffer.room);
    }
    if (later.size) this.update();
    else this.isFilled ||= this.live.known; // from now on, what comes is news
    if (news.length) this.said.textContent = news.slice(0, SAID_AT_ONCE).join(' ');
    this.filter.count(buffers);
    this.#tellCount(buffers);
    this.posters.keepUp(this.#cards.values());
  }

  /** The viewer's own shares first, then the newest. */
  #inOrder() {
    const { identity } = this.session.facts;
    const { all } = this.live;
    const isOwn = (/** @type {BufferView} */ buffer) => buffer.sharer === identity;
    return [...all.filter(isOwn), ...all.filter((buffer) => !isOwn(buffer))];
  }

  /** @param {BufferView} buffer */
  #made(buffer) {
    const { limits } = this.session.facts;
    const most = limits.max_capture_seconds;
    const stays = Math.min(most, limits.retention_seconds);
    const card = new Card(buffer, { session: this.session, most, stays });
    this.#cards.set(buffer.id, card);
    this.visible.observe(card.element);
    return card;
  }

  /** @param {Set<string>} there */
  #dropGone(there) {
    for (const [id, card] of this.#cards) {
      if (there.has(id)) continue;
      const had = card.element.contains(document.activeElement);
      const next = card.element.nextElementSibling ?? card.element.previousElementSibling;
      this.visible.unobserve(card.element);
      card.reel.stop();
      card.element.remove();
      this.#cards.delete(id);
      if (had) (next?.querySelector('a') ?? partOf('main')).focus({ preventScroll: true });
    }
  }

  /** @param {BufferView[]} buffers */
  #tellCount(buffers) {
    const shown = buffers.filter((buffer) => this.filter.fits(buffer)).length;
    const text = shown < buffers.length ? own.shown(shown, buffers.length) : '';
    if (this.shown.textContent !== text) this.shown.textContent = text;
    const what = !this.live.known ? 'loading' : !buffers.length ? 'nothing' : shown ? '' : 'nothingFits';
    if (this.place.dataset.what === what) return;
    this.place.dataset.what = what;
    fill(this.place, what && this[what]());
  }

  loading() {
    const skeleton = () => h('li', { class: 'card share skeleton' }, h('div', { class: 'stage' }));
    return [
      h('p', { class: 'visually-hidden', role: 'status' }, own.loading),
      h('ul', { class: 'shares', 'aria-hidden': 'true' }, Array.from({ length: SKELETONS }, skeleton)),
    ];
  }

  nothing() {
    const { room, room_admin: roomAdmin, instance_admin: everything, limits } = this.session.facts;
    const begin = room ? own.beginRoom(room) : own.begin;
    // Whoever sees only their own does not know whether nobody shares.
    const isBlind = limits.capture_policy === 'self' && !everything && !roomAdmin;
    const words = h('div', { class: 'empty begin' }, h('h2', {}, isBlind ? own.beginOwn : own.nothing), h('p', {}, begin));
    return everything ? [words, checklist(this.session.api, this.#ending.signal)] : words;
  }

  nothingFits() {
    const clear = () => {
      this.filter.clear();
      this.filter.input.focus();
    };
    return h('div', { class: 'empty' }, h('p', {}, own.nothingFits), h('button', { onclick: clear }, own.clear));
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #seen(entries) {
    for (const { target, isIntersecting } of entries) {
      const card = this.#cards.get(target.getAttribute('data-id') ?? '');
      if (card) card.isVisible = isIntersecting;
      if (card && isIntersecting) card.tick();
    }
    this.posters.keepUp(this.#cards.values());
  }

  #tick() {
    if (document.hidden) return;
    for (const card of this.#cards.values()) if (card.isVisible) card.tick();
    if (this.live.state === 'open') this.posters.keepUp(this.#cards.values());
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key.toLowerCase() !== 'k' || !isPlain || !keysOn() || isTyping(event)) return;
    const share = event.target instanceof Element ? event.target.closest('.share') : null;
    const card = this.#cards.get(share?.getAttribute('data-id') ?? '');
    if (!card) return;
    event.preventDefault();
    if (!event.repeat) void card.keep();
  }
}

/** The rooms of which there is more than one screen to be watched. @param {BufferView[]} buffers */
function shownTogether(buffers) {
  const rooms = buffers.filter(({ newest, playlist_url: url }) => newest && url).map(({ room }) => room);
  return new Set(rooms.filter((room, place) => rooms.indexOf(room) !== place));
}
