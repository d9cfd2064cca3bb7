// Who did what, and when.

import { h } from '../dom.js';
import { midnight, time } from '../times.js';
import { texts } from '../texts.js';
import { placeOf, rest, sentence } from './audit_sentences.js';
import { Listing } from '../lists/listing.js';

/**
 * @import { AuditView } from '../../types.js'
 * @import { Page } from '../main.js'
 */

const own = texts.admin.audit;
const NAMES = /** @type {const} */ (['done_by', 'action', 'subject', 'since', 'until']);
const TYPING_MS = 300;

/** @param {Page} page */
export async function open({ api, query }) {
  let asked = filled(NAMES.map((name) => [name, query.get(name) ?? '']));
  /** @type {Listing<AuditView>} */
  const listing = new Listing({
    name: own.title,
    columns: own.columns,
    empty: own.nothing,
    file: 'audit',
    ask: (place, signal) => {
      const { since, until } = asked;
      return api.get(
        '/audit',
        { ...asked, since: midnight(since), until: midnight(until, 1), ...place },
        { signal },
      );
    },
    key: (item) => item.id,
    cells: (item) => [
      time(item.at),
      said(item),
      item.room ? h('bdi', {}, item.room) : '–',
      details(item.data),
    ],
  });
  /** @type {number | undefined} */
  let timer;
  const changed = () => {
    clearTimeout(timer);
    asked = filled([...new FormData(form)].map(([name, value]) => [name, String(value).trim()]));
    history.replaceState(history.state, '', `#/admin/audit?${new URLSearchParams(asked)}`);
    void listing.load();
  };
  /**
   * @param {typeof NAMES[number]} name
   * @param {'search' | 'date'} type
   */
  const input = (name, type) =>
    h(
      'label',
      { class: 'search' },
      h('span', {}, own.filters[name]),
      h('input', { type, name, maxlength: 512, value: asked[name], autocomplete: 'off' }),
    );
  const actions = h('select', { name: 'action' }, [
    h('option', { value: '' }, own.anyAction),
    Object.entries(own.actions).map(([value, label]) =>
      h('option', { value, selected: value === asked.action }, label),
    ),
  ]);
  /** @type {HTMLFormElement} */
  const form = h(
    'form',
    {
      class: 'row top',
      role: 'search',
      onsubmit: (event) => (event.preventDefault(), changed()),
      oninput: () => {
        clearTimeout(timer);
        timer = setTimeout(changed, TYPING_MS);
      },
    },
    input('done_by', 'search'),
    h('label', { class: 'search' }, h('span', {}, own.filters.action), actions),
    input('subject', 'search'),
    input('since', 'date'),
    input('until', 'date'),
  );
  await listing.load();
  const element = h('section', {}, h('h1', {}, own.title), form, listing.element);
  return { element, close: () => (clearTimeout(timer), listing.close()) };
}

/**
 * Those of the fields that hold something.
 *
 * @param {[string, string][]} fields
 * @returns {Record<string, string>}
 */
const filled = (fields) => Object.fromEntries(fields.filter(([, value]) => value));

/** @param {AuditView} entry */
function said(entry) {
  const place = placeOf(entry);
  const words = h('span', { dir: 'auto', title: entry.subject }, sentence(entry));
  return h('span', {}, words, place && [' ', h('a', { href: place }, own.show)]);
}

/** What is noted beside it, as terms and values. @param {AuditView['data']} data */
function details(data) {
  const pairs = rest(data);
  if (!pairs.length) return '–';
  const written = (/** @type {unknown} */ value) => (typeof value === 'string' ? value : JSON.stringify(value));
  return h(
    'ul',
    { class: 'data' },
    pairs.map(([name, value]) => h('li', { dir: 'auto' }, h('span', { class: 'hint' }, `${name}: `), written(value))),
  );
}
