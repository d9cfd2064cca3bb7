// One live share as a card: made once, brought up to date in place.

import { h, set } from '../dom.js';
import { texts } from '../texts.js';
import { clock, clockTenths, length, utc } from '../times.js';
import { erase, keepLast, resume, rights, stop, stopWords } from './acting.js';
import { canWatch } from '../watching/live_film.js';
import { Reel } from './reel.js';
import { ago, encodingOf, stateOf } from './words.js';

/**
 * @import { BufferView } from '../../types.js'
 * @import { Session } from '../session.js'
 */

const own = texts.buffers;
const WATCHED = ['recording', 'lagging']; // the states in which there is a live picture
const LATE_MS = 10_000; // how old the newest picture is before that is worth a word

export class Card {
  isVisible = false;
  isKeeping = false;

  /**
   * `most`: of how many seconds a share can have kept; `stays`: for how many, after the last.
   *
   * @param {BufferView} buffer
   * @param {{session: Session, most: number, stays: number}} options
   */
  constructor(buffer, { session, most, stays }) {
    this.session = session;
    this.most = most;
    this.stays = stays;
    this.buffer = buffer;
    const who = buffer.sharer;
    const name = `share-${buffer.id}`;
    this.badge = h('span', { class: 'badge' });
    this.picture = h('canvas', { class: 'picture', hidden: true, 'aria-hidden': 'true' });
    this.blank = h('p', { class: 'blank note' });
    this.says = h('p', { class: 'says' });
    this.quote = h('p', { dir: 'auto' });
    this.todo = h('p', { class: 'note' });
    this.reason = h('div', { class: 'reason' }, this.says, this.quote, this.todo);
    this.reel = new Reel(session.api);
    const live = { class: 'button watch', href: `#/buffers/${buffer.id}?live`, 'aria-label': texts.watching.of(who) };
    this.watch = h('a', live, texts.watching.watch);
    this.age = h('span', { class: 'age' });
    this.sound = h('span', {});
    this.all = h('a', { href: `#/rooms/${encodeURIComponent(buffer.room)}`, hidden: true }, texts.together.link);
    this.fill = h('span', {});
    this.amount = h('span', {});
    this.until = h('span', {});
    this.encoding = h('p', { class: 'note' });
    const keep = () => void this.keep();
    this.keepButton = h('button', { class: 'primary', 'aria-label': own.keepOf(who), onclick: keep }, own.keep);
    this.stopButton = h('button', { class: 'plain', onclick: () => this.#stopOrResume() });
    const eraseThis = () => void erase(this.session.api, this.buffer);
    this.eraseButton = h('button', { class: 'plain', 'aria-label': own.eraseOf(who), onclick: eraseThis }, own.erase);
    this.element = h(
      'li',
      { class: 'card share', 'data-id': buffer.id },
      h('div', { class: 'stage' }, this.picture, this.reel.element, this.blank, this.reason, this.badge, this.watch),
      h(
        'div',
        { class: 'share-facts' },
        h(
          'div',
          { class: 'line' },
          h('h2', { id: name, title: who }, h('a', { href: `#/buffers/${buffer.id}` }, h('bdi', {}, who))),
          who === session.facts.identity && h('span', { class: 'badge soft' }, own.you),
          this.age,
        ),
        h('p', { class: 'line note' }, h('bdi', { class: 'room', title: buffer.room }, buffer.room), this.all, this.sound),
        h('div', { class: 'much', 'aria-hidden': 'true' }, this.fill),
        h('p', { class: 'line note' }, this.amount, this.until),
        this.encoding,
        h('div', { class: 'row' }, this.keepButton, this.stopButton, this.eraseButton),
      ),
    );
    this.element.setAttribute('aria-labelledby', name);
    for (const kind of ['pointerenter', 'focusin']) this.element.addEventListener(kind, () => this.#move());
    for (const kind of ['pointerleave', 'focusout']) this.element.addEventListener(kind, () => this.reel.stop());
    this.#draw();
  }

  /** @param {BufferView} buffer */
  update(buffer) {
    if (buffer === this.buffer) return;
    this.buffer = buffer;
    this.#draw();
  }

  #draw() {
    const { buffer } = this;
    const { badge, tone, says, reason } = this.#state();
    const may = rights(this.session, buffer, this.session.api.now());
    const unseen = Boolean(buffer.newest && !buffer.poster_url);
    this.element.dataset.state = buffer.state;
    write(this.badge, badge);
    this.badge.className = `badge ${tone}`;
    set(this.badge, { 'data-state': buffer.state });
    write(this.says, says);
    write(this.quote, reason);
    this.quote.hidden = !reason;
    this.reason.hidden = !says;
    write(this.blank, unseen ? own.hidden : own.noPicture);
    this.blank.hidden = Boolean(says || (!this.picture.hidden && !unseen));
    write(this.sound, buffer.newest ? (buffer.audio ? own.sound : own.silent) : '');
    const encoding = encodingOf(buffer);
    write(this.encoding, encoding);
    this.encoding.hidden = !encoding;
    write(this.amount, own.amount(length(buffer.media_seconds)));
    this.fill.style.inlineSize = `${Math.min(100, (buffer.media_seconds / this.most) * 100)}%`;
    this.watch.hidden = unseen || !canWatch || !WATCHED.includes(buffer.state);
    this.keepButton.hidden = unseen;
    this.keepButton.disabled = !may.keep || this.isKeeping;
    this.stopButton.hidden = !(may.stop || may.resume);
    this.eraseButton.hidden = !may.erase;
    const { label, of } = stopWords(buffer, may);
    write(this.stopButton, label);
    set(this.stopButton, { 'aria-label': of(buffer.sharer) });
    this.tick();
  }

  /** Brings up to date what changes by itself as time passes. */
  tick() {
    const { newest, state, ended_at: endedAt } = this.buffer;
    const now = this.session.api.now();
    write(this.todo, this.#state().todo);
    const exactly = newest && `${own.newest.name}: ${clockTenths(newest)}, ${utc(newest)}`;
    set(this.age, { title: exactly });
    if (state !== 'ended') {
      const lag = newest ? now - Date.parse(newest) : 0;
      write(this.age, lag > LATE_MS ? ago(lag) : '');
      write(this.until, '');
      return;
    }
    const until = newest ? Date.parse(newest) + this.stays * 1000 : now;
    write(this.age, endedAt ? own.over(clock(endedAt)) : '');
    write(this.until, until > now ? own.stays(clock(until)) : own.fades);
  }

  /**
   * Shows a picture of an instant.
   *
   * @param {ImageBitmap} bitmap
   * @param {string} instant
   */
  show(bitmap, instant) {
    Object.assign(this.picture, { width: bitmap.width, height: bitmap.height, hidden: false });
    this.picture.getContext('bitmaprenderer')?.transferFromImageBitmap(bitmap);
    this.picture.dataset.instant = instant;
    this.blank.hidden = true;
  }

  /** One at a time. */
  async keep() {
    const { hidden, disabled } = this.keepButton;
    if (hidden || disabled) return;
    const hadFocus = document.activeElement === this.keepButton;
    this.isKeeping = this.keepButton.disabled = true;
    try {
      await keepLast(this.session.api, this.buffer);
    } finally {
      this.isKeeping = false;
      this.keepButton.disabled = !rights(this.session, this.buffer, this.session.api.now()).keep;
      if (hadFocus && document.activeElement === document.body) this.keepButton.focus({ preventScroll: true });
    }
  }

  #state() {
    return stateOf(this.buffer, this.session.facts.identity, this.session.api.now());
  }

  #stopOrResume() {
    if (rights(this.session, this.buffer, this.session.api.now()).resume) void resume(this.session.api, this.buffer);
    else void stop(this.session, this.buffer);
  }

  #move() {
    if (this.buffer.poster_url && this.buffer.newest) this.reel.start(this.buffer);
  }
}

/**
 * @param {HTMLElement} element
 * @param {string} text
 */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
