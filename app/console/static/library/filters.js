// Which clips are shown: read from the fragment's query, chosen in a form, asked of the service.

import { fill, h } from '../dom.js';
import { called, texts } from '../texts.js';
import { midnight } from '../times.js';

/**
 * @import { Child } from '../dom.js'
 * @typedef {Record<string, string>} Filters by name; what is not filtered by has no key
 */

const own = texts.library.filters;
const NAMES = ['moment', 'title', 'room', 'owner', 'screen', 'open', 'when', 'since', 'until', 'sort'];
/** @type {Record<string, number>} */
const SPANS = { day: 1, week: 7, month: 30 }; // days
const DAY_MS = 86_400_000;
const TYPING_MS = 300;

/**
 * The filters that a fragment's query holds; what is not there has no key.
 *
 * @param {URLSearchParams} query
 * @returns {Filters}
 */
export function filtersIn(query) {
  return filled(NAMES.map((name) => [name, query.get(name) ?? '']));
}

/** Those of the fields that hold something. @param {[string, string][]} fields */
const filled = (fields) => Object.fromEntries(fields.filter(([, value]) => value));

/** The fragment that shows the clips of some filters. @param {Filters} filters */
export function fragmentOf(filters) {
  const query = new URLSearchParams(
    NAMES.filter((name) => filters[name]).map((name) => [name, filters[name]]),
  );
  return query.size ? `#/clips?${query}` : '#/clips';
}

/**
 * What the service is asked for. `owner` is an identity, or `me`.
 *
 * @param {Filters} filters
 * @param {string} identity
 */
export function asked(filters, identity) {
  const { moment, title, room, owner, screen, open, when, since, until, sort } = filters;
  const days = called(SPANS, when ?? '');
  const past = days && new Date(Date.now() - days * DAY_MS).toISOString();
  return {
    moment_id: moment,
    title,
    room,
    owner: owner === 'me' ? identity : owner,
    sharer: screen ? identity : undefined,
    others: screen === 'others' ? true : undefined,
    visibility: called(texts.library.audience.short, open ?? '') && open,
    since: when === 'dates' ? midnight(since) : past,
    until: when === 'dates' ? midnight(until, 1) : undefined,
    sort: called(own.orders, sort ?? '') && sort,
  };
}

/**
 * A form of the filters. `onChange(filters, {typing})` is called with each change; `typing` while
 * letters follow each other. `rooms(names)` adds to the rooms that are offered.
 *
 * @param {Filters} filters
 * @param {{onlyRoom: string | null, onChange: (filters: Filters, how: {typing: boolean}) => void}} options
 */
export function filterForm(filters, { onlyRoom, onChange }) {
  /** @type {Set<string>} */
  const known = new Set();
  const rooms = h('datalist', { id: 'clip-rooms' });
  const title = h('input', {
    type: 'search',
    name: 'title',
    maxlength: 200,
    value: filters.title,
    placeholder: own.titleHint,
    autocomplete: 'off',
  });
  const room = h('input', {
    type: 'search',
    name: 'room',
    maxlength: 512,
    value: filters.room,
    list: rooms.id,
    placeholder: own.anyRoom,
    autocomplete: 'off',
  });
  const owner = select('owner', filters.owner ?? '', { '': own.everybody, me: own.mine });
  if (filters.owner && filters.owner !== 'me') {
    owner.append(h('option', { value: filters.owner, selected: true }, filters.owner));
  }
  const screen = select('screen', filters.screen ?? '', own.screens);
  const open = select('open', filters.open ?? '', { '': own.anyAudience, ...texts.library.audience.short });
  const when = select('when', filters.when ?? '', own.times);
  const since = h('input', { type: 'date', name: 'since', value: filters.since });
  const until = h('input', { type: 'date', name: 'until', value: filters.until });
  const dates = h('div', { class: 'dates row' }, labelled(own.since, since), labelled(own.until, until));
  const sort = select('sort', filters.sort ?? '', own.orders);
  /** @type {number | undefined} */
  let timer;
  const tell = (/** @type {boolean} */ typing) => {
    clearTimeout(timer);
    dates.hidden = when.value !== 'dates';
    onChange(filled([...new FormData(form)].map(([name, value]) => [name, String(value)])), { typing });
  };
  const typed = () => {
    clearTimeout(timer);
    timer = setTimeout(() => tell(true), TYPING_MS);
  };
  /** @type {HTMLFormElement} */
  const form = h(
    'form',
    {
      class: 'filters',
      role: 'search',
      'aria-label': own.form,
      onsubmit: (event) => (event.preventDefault(), tell(false)),
      oninput: ({ target }) => (target === title || target === room ? typed() : tell(false)),
    },
    labelled(own.title, title),
    onlyRoom ? null : labelled(own.room, room, rooms),
    labelled(own.owner, owner),
    labelled(own.screen, screen),
    labelled(texts.library.audience.legend, open),
    labelled(own.when, when),
    dates,
    labelled(own.sort, sort),
  );
  dates.hidden = when.value !== 'dates';
  return {
    element: form,
    /** @param {string[]} names */
    rooms(names) {
      const before = known.size;
      for (const name of names) known.add(name);
      if (known.size > before)
        fill(
          rooms,
          [...known].sort().map((value) => h('option', { value })),
        );
    },
  };
}

/**
 * @param {'owner' | 'screen' | 'open' | 'when' | 'sort'} name
 * @param {string} value
 * @param {Record<string, string>} options
 */
function select(name, value, options) {
  return h(
    'select',
    { name },
    Object.entries(options).map(([key, label]) =>
      h('option', { value: key, selected: key === value }, label),
    ),
  );
}

/**
 * @param {string} label
 * @param {HTMLElement} control
 * @param {Child[]} more
 */
function labelled(label, control, ...more) {
  return h('label', {}, h('span', {}, label), control, more);
}
