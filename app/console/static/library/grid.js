// The library: the clips that the viewer may see, as a grid that goes on as one scrolls.

import { isAborted } from '../api.js';
import { fill, h, set } from '../dom.js';
import { inWords, tellProblem } from '../telling.js';
import { texts } from '../texts.js';
import { openDeleted } from './deleted.js';
import { deleteClips } from './deleting.js';
import { downloadArchive, downloadClips } from './downloading.js';
import { asked, filterForm, filtersIn, fragmentOf } from './filters.js';
import { Pages } from './pages.js';
import { openQuick } from './quick.js';
import { quotaBar } from './quota.js';
import { chooseAccess } from './opening.js';
import { selectionOf } from './selection.js';
import { openSpace } from './space.js';
import { Tile } from './tile.js';
import { mayChange } from './words.js';

/**
 * @import { ClipView } from '../../types.js'
 * @import { Api } from '../api.js'
 * @import { Page } from '../main.js'
 * @import { Session } from '../session.js'
 * @import { Filters } from './filters.js'
 */

const own = texts.library.grid;
const AHEAD = '800px'; // what is loaded before one has scrolled to it

// How many clips each fragment showed when one left it: back there, one is where one was.
/** @type {Map<string, number>} */
const depths = new Map();

/** @param {Page} page */
export async function open({ session, api, query }) {
  if (query.has('deleted')) return openDeleted({ session, api });
  if (query.has('space')) return openSpace({ session, api });
  const grid = new Grid(session, api, filtersIn(query));
  const loaded = grid.load(depths.get(fragmentOf(filtersIn(query))));
  if (depths.size) await loaded;
  return { title: own.title, element: grid.element, close: () => grid.close() };
}

class Grid {
  /** @type {Session} */
  #session;
  /** @type {Api} */
  #api;
  /** @type {Filters} */
  #filters;
  #form;
  #pages;
  #loading = new AbortController();
  #watcher;
  /** @type {Map<string, Tile>} */
  #tiles = new Map(); // by the clip's id
  #closeQuick = () => {};
  #list = h('ul', { class: 'clips' });
  #state = h('p', { class: 'note state', role: 'status' });
  #more = h('button', { class: 'more', hidden: true, onclick: () => void this.#append() }, own.more);
  #instead = h('div', {});

  /**
   * @param {Session} session
   * @param {Api} api
   * @param {Filters} filters
   */
  constructor(session, api, filters) {
    this.#session = session;
    this.#api = api;
    this.#filters = filters;
    this.#pages = this.#asked();
    this.#form = filterForm(filters, {
      onlyRoom: session.facts.room,
      onChange: (changed, { typing }) => this.#filter(changed, typing),
    });
    this.quota = quotaBar(api);
    this.selection = selectionOf({
      tiles: () => this.#tiles.values(),
      onDownload: (clips) => void downloadClips(clips, api),
      onArchive: (clips) => void downloadArchive(clips, api),
      onAccess: (clips) => void this.#change(clips),
      onDelete: (clips) => void this.#delete(clips),
      onMode: (on) => set(this.#list, { 'data-selecting': on }),
    });
    const head = h(
      'div',
      { class: 'row head' },
      h('h1', {}, own.title),
      this.selection.toggle,
      h('a', { class: 'button', href: '#/clips?deleted=1' }, texts.library.deleted.link),
      this.quota.element,
    );
    const { room } = session.facts;
    const elsewhere =
      room !== null &&
      h('p', { class: 'note', dir: 'auto' }, own.onlyOf(room), ' ', h('a', { href: '#/clips?space=1' }, own.elsewhere));
    this.ofMoment = h('p', { class: 'note' }, own.ofMoment, ' ', h('a', { href: '#/clips' }, own.clear));
    this.ofMoment.hidden = !filters.moment;
    const foot = h('div', { class: 'foot' }, this.#state, this.#more, elsewhere);
    this.element = h(
      'div',
      { class: 'library' },
      head,
      this.#form.element,
      this.ofMoment,
      this.#list,
      this.#instead,
      foot,
      this.selection.element,
    );
    this.#watcher = new IntersectionObserver((seen) => seen.at(-1)?.isIntersecting && void this.#append(), {
      rootMargin: AHEAD,
    });
  }

  close() {
    depths.set(fragmentOf(this.#filters), this.#tiles.size);
    this.#loading.abort();
    this.#watcher.disconnect();
    this.#closeQuick();
  }

  /** Shows the first clips of the filters, `depth` or more. What is shown stays until they are there. */
  async load(depth = 0) {
    this.#loading.abort();
    this.#loading = new AbortController();
    this.#watcher.disconnect();
    this.#pages = this.#asked();
    this.#more.hidden = true;
    if (!this.#tiles.size)
      fill(
        this.#list,
        Array.from({ length: 8 }, () => h('li', { class: 'tile card ghost', 'aria-hidden': 'true' })),
      );
    void this.quota.update();
    await this.#append(true, depth);
  }

  #asked() {
    return new Pages(this.#api, asked(this.#filters, this.#session.facts.identity));
  }

  async #append(first = false, depth = 0) {
    const { signal } = this.#loading;
    if (!first && (this.#appending || this.#pages.ended)) return;
    this.#appending = true;
    set(this.#list, { 'aria-busy': 'true' });
    this.#state.textContent = own.loading;
    try {
      const clips = await this.#pages.more(signal, depth);
      if (first) this.#empty();
      const tiles = clips.filter((clip) => !this.#tiles.has(clip.id)).map((clip) => this.#tile(clip));
      this.#list.append(...tiles.map((tile) => tile.element));
      this.#form.rooms(clips.map((clip) => clip.room));
      this.#told();
    } catch (error) {
      if (isAborted(error)) return;
      if (first) this.#empty();
      this.#failed(error);
    }
    this.#appending = false;
    set(this.#list, { 'aria-busy': false });
    this.#watch();
  }

  #appending = false;

  #watch() {
    // Anew each time: an observer is silent about what was to be seen before, and still is.
    this.#watcher.disconnect();
    if (!this.#more.hidden) this.#watcher.observe(this.#more);
  }

  #empty() {
    fill(this.#list);
    fill(this.#instead);
    this.#tiles.clear();
    this.selection.update();
  }

  #told() {
    const count = this.#tiles.size;
    this.#more.hidden = this.#pages.ended;
    this.#state.textContent = count ? own.count(count, this.#pages.ended) : '';
    fill(this.#instead);
    if (count || !this.#pages.ended) return;
    const filtered = Object.keys(this.#filters).some((name) => name !== 'sort');
    const action = filtered
      ? h('a', { class: 'button', href: '#/clips' }, own.clear)
      : h('a', { class: 'button', href: '#/buffers' }, own.toLive);
    fill(
      this.#instead,
      h('div', { class: 'empty' }, h('p', {}, filtered ? own.nothingFits : own.nothing), action),
    );
  }

  /** @param {unknown} error */
  #failed(error) {
    const button = h('button', { onclick: () => void this.load() }, own.again);
    fill(this.#instead, h('div', { class: 'empty' }, h('p', { role: 'alert' }, inWords(error)), button));
    this.#state.textContent = '';
    this.#more.hidden = true;
  }

  /**
   * @param {Filters} filters
   * @param {boolean} typing
   */
  #filter(filters, typing) {
    this.#filters = filters;
    this.ofMoment.hidden = !filters.moment;
    const fragment = fragmentOf(filters);
    // Neither tells of a changed hash, so the view stays; going back makes it anew. The state says
    // which view it is: back from a clip, one is where one was in it.
    if (typing) history.replaceState(history.state, '', fragment);
    else if (fragment !== location.hash) history.pushState(history.state, '', fragment);
    void this.load();
  }

  /** @param {ClipView} clip */
  #tile(clip) {
    const tile = new Tile(clip, {
      api: this.#api,
      selectable: mayChange(clip),
      onOpen: (opened) => this.#open(opened),
      onSelect: () => this.selection.update(),
    });
    this.#tiles.set(clip.id, tile);
    return tile;
  }

  /** @param {Tile} tile */
  #open(tile) {
    this.#closeQuick = openQuick(tile.clip, {
      api: this.#api,
      session: this.#session,
      onChange: (clip) => tile.update(clip),
      onDelete: (clip) => void this.#delete([clip]),
      onGone: (clip) => void this.#taken(clip),
    });
  }

  /** Takes away the tile of a clip that is gone; what stood behind it. @param {ClipView} clip */
  #taken(clip) {
    const tile = this.#tiles.get(clip.id);
    if (!tile) return null;
    const next = tile.element.nextElementSibling;
    const focused = tile.element.contains(document.activeElement) || document.activeElement === document.body;
    tile.element.remove();
    this.#tiles.delete(clip.id);
    if (focused) ((next ?? this.#list.lastElementChild)?.querySelector('a') ?? this.selection.toggle).focus();
    this.#told();
    return next;
  }

  /** @param {ClipView[]} clips */
  #change(clips) {
    return chooseAccess(clips, { api: this.#api, onChange: (clip) => this.#tiles.get(clip.id)?.update(clip) });
  }

  /** @param {ClipView[]} clips */
  async #delete(clips) {
    /** @type {Map<string, Element | null>} */
    const places = new Map(); // what stood behind each
    await deleteClips(clips, {
      api: this.#api,
      restorable: this.#session.facts.limits.restore_seconds,
      onGone: (clip) => void places.set(clip.id, this.#taken(clip)),
      onBack: (clip) => {
        if (this.#tiles.has(clip.id)) return;
        const next = places.get(clip.id);
        const tile = this.#tile(clip);
        this.#list.insertBefore(tile.element, next?.parentNode === this.#list ? next : null);
        if (document.activeElement === document.body) tile.focus(); // the button that was pressed is gone
        this.#told();
      },
      onDone: () => {
        this.selection.update();
        void this.quota.update();
      },
    }).catch(tellProblem);
  }
}
