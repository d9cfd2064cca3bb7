// Who did what, and when.

import { h } from '../dom.js';
import { midnight, time } from '../times.js';
import { texts } from '../texts.js';
import { Listing } from './listing.js';

const own = texts.admin.audit;
const NAMES = ['identity', 'action', 'subject', 'since', 'until'];
const TYPING_MS = 300;

export async function open({ api, query }) {
  let asked = Object.fromEntries(NAMES.map((name) => [name, query.get(name)]).filter(([, value]) => value));
  const listing = new Listing({
    name: own.title,
    columns: own.columns,
    empty: own.nothing,
    ask: (next, signal) => {
      const { since, until } = asked;
      return api.get(
        '/audit',
        { ...asked, since: midnight(since), until: midnight(until, 1), next },
        { signal },
      );
    },
    key: (item) => item.id,
    cells: (item) => [
      time(item.at),
      item.identity || h('span', { class: 'hint' }, own.service),
      own.actions[item.action] ?? item.action,
      h('code', {}, item.subject),
      item.room || '–',
      details(item.data),
    ],
  });
  let timer;
  const changed = () => {
    clearTimeout(timer);
    asked = Object.fromEntries(
      [...new FormData(form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value),
    );
    history.replaceState(history.state, '', `#/admin/audit?${new URLSearchParams(asked)}`);
    void listing.load();
  };
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
    input('identity', 'search'),
    h('label', { class: 'search' }, h('span', {}, own.filters.action), actions),
    input('subject', 'search'),
    input('since', 'date'),
    input('until', 'date'),
  );
  await listing.load();
  const element = h('section', {}, h('h1', {}, own.title), form, listing.element);
  return { element, close: () => (clearTimeout(timer), listing.close()) };
}

/** What is noted beside it, as terms and values. */
function details(data) {
  const pairs = Object.entries(data).filter(([, value]) => value !== null && value.length !== 0);
  if (!pairs.length) return '–';
  const written = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
  return h(
    'ul',
    { class: 'data' },
    pairs.map(([name, value]) => h('li', {}, h('span', { class: 'hint' }, `${name}: `), written(value))),
  );
}
