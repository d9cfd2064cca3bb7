// One clip of the grid: its poster, which moves under the pointer, its title, what is to be known.

import { fill, h, set } from '../dom.js';
import { bytes, fromNow, length, time } from '../times.js';
import { called, texts } from '../texts.js';
import { copyLink } from './link.js';
import { pictureAt, pictures, show } from './pictures.js';
import { mayChange, nameOf } from './words.js';

/**
 * @import { ClipView } from '../../types.js'
 * @import { Api } from '../api.js'
 * @import { Cue } from '../pictures.js'
 */

const own = texts.library;
const HOVER_MS = 150;

/** What there is of a clip, its element, and whether it is selected. */
export class Tile {
  #api;
  #title;
  #facts;
  #check;
  #share;
  #preview;
  #image;
  #length;

  /**
   * @param {ClipView} clip
   * @param {{api: Api, selectable: boolean, onOpen: (tile: Tile) => void,
   *   onSelect: (tile: Tile) => void}} options `selectable`: the viewer may change the clip
   */
  constructor(clip, { api, selectable, onOpen, onSelect }) {
    this.#api = api;
    this.#image = h('img', { alt: '', loading: 'lazy', decoding: 'async', width: 640, height: 360 });
    this.#image.addEventListener('error', () => set(this.#image, { hidden: true }));
    this.#preview = h('span', { class: 'preview', 'aria-hidden': 'true' });
    this.#length = h('span', { class: 'length' });
    this.#title = h('a', { class: 'title', dir: 'auto', onclick: (event) => this.#clicked(event, onOpen) });
    this.#facts = h('div', { class: 'about' });
    this.#check = selectable && h('input', { type: 'checkbox', onchange: () => onSelect(this) });
    const poster = h('div', { class: 'poster' }, this.#image, this.#preview, this.#length);
    const heading = h('h2', {}, this.#title);
    this.#share = selectable && h('button', { class: 'share', onclick: () => void this.#copyLink() }, own.link.copy);
    const select = this.#check && h('label', { class: 'select' }, this.#check);
    this.element = h('li', { class: 'tile card' }, poster, heading, this.#facts, this.#share, select);
    if (matchMedia('(hover: hover)').matches) this.#moveUnder(poster);
    this.clip = clip;
    this.#showPoster();
    this.#show();
  }

  get selected() {
    return this.#check ? this.#check.checked : false;
  }

  set selected(value) {
    if (this.#check) this.#check.checked = value;
  }

  get selectable() {
    return Boolean(this.#check);
  }

  focus() {
    this.#title.focus();
  }

  /** Shows what has become of the clip. @param {ClipView} clip */
  update(clip) {
    const sameFilm = this.clip.poster_url === clip.poster_url;
    this.clip = clip;
    if (!sameFilm) this.#showPoster();
    this.#show();
  }

  #showPoster() {
    set(this.#image, { src: this.#api.url(this.clip.poster_url), hidden: false });
  }

  #show() {
    const { clip } = this;
    const name = nameOf(clip);
    this.#title.textContent = name;
    set(this.#title, { href: `#/clips/${encodeURIComponent(clip.id)}`, title: name });
    if (this.#check) set(this.#check, { 'aria-label': own.grid.selectOne(name) });
    if (this.#share) set(this.#share, { 'aria-label': own.link.copyOf(name), hidden: clip.closed_by !== null });
    fill(
      this.#length,
      h('span', { class: 'visually-hidden' }, own.grid.length),
      length(clip.delivered.duration_seconds),
    );
    fill(
      this.#facts,
      h('p', { class: 'whose' }, own.grid.whose(clip.sharer, clip.room), mayChange(clip) ? '' : ` · ${own.grid.by(clip.owner)}`),
      h('p', { class: 'when' }, time(clip.created_at, fromNow), ` · ${bytes(clip.size_bytes)}`),
      h('p', { class: 'row' }, audienceBadge(clip), viewsBadge(clip), lifeBadge(clip), objectionBadge(clip)),
    );
  }

  #copyLink() {
    return copyLink(this.clip, { api: this.#api, onChange: (clip) => this.update(clip) });
  }

  /**
   * @param {MouseEvent} event
   * @param {(tile: Tile) => void} onOpen
   */
  #clicked(event, onOpen) {
    // With a key or the middle button it goes where the link goes: a page of its own.
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    onOpen(this);
  }

  /** @param {HTMLElement} poster */
  #moveUnder(poster) {
    /** @type {AbortController | null} */
    let ending = null;
    /** @type {Cue[] | null} */
    let found = null;
    poster.addEventListener('pointerenter', async () => {
      const mine = (ending = new AbortController());
      await new Promise((resolve) => setTimeout(resolve, HOVER_MS));
      if (mine.signal.aborted || found) return;
      try {
        found = await pictures(this.#api.url(this.clip.thumbnails_url), mine.signal);
      } catch {
        found = null; // the poster goes on standing there: it is no more than an ornament
      }
    });
    poster.addEventListener('pointermove', (event) => {
      if (!found?.length) return;
      const box = poster.getBoundingClientRect();
      const part = (event.clientX - box.left) / box.width;
      this.#preview.style.setProperty('--part', `${part * 100}%`);
      void show(this.#preview, pictureAt(found, part * found[found.length - 1].end)).then(
        () => set(this.#preview, { 'data-shown': !ending?.signal.aborted }),
        () => (found = []),
      );
    });
    poster.addEventListener('pointerleave', () => {
      ending?.abort();
      set(this.#preview, { 'data-shown': false });
    });
  }
}

/** @param {ClipView} clip */
function audienceBadge(clip) {
  return h(
    'span',
    { class: clip.visibility === 'private' ? 'badge soft' : 'badge good' },
    called(own.audience.short, clip.visibility),
  );
}

/** @param {ClipView} clip */
function objectionBadge(clip) {
  const said = clip.deletion_request ? own.objecting.askedShort : clip.closed_by && own.objecting.closedShort;
  return said ? h('span', { class: 'badge warn' }, said) : null;
}

/** @param {ClipView} clip */
function viewsBadge({ views }) {
  return views ? h('span', { class: 'badge soft' }, own.link.views(views)) : null;
}

/** @param {ClipView} clip */
function lifeBadge(clip) {
  if (clip.keep) return h('span', { class: 'badge soft' }, own.life.kept);
  if (!clip.expires_at) return null;
  return h('span', { class: 'badge warn' }, own.life.expires(fromNow(clip.expires_at)));
}
