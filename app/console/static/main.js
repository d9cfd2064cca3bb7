// The shell: who is looking, what they look at.

import { fill, h } from './dom.js';
import { LiveBuffers } from './live.js';
import { Session, broughtToken, forget } from './session.js';
import { Problem } from './api.js';
import { tellConnection } from './connection.js';
import { enter, refusedToken } from './entry.js';
import { watchExpiry } from './expiry.js';
import { listenToKeys, showKeys } from './keyboard.js';
import { Places } from './places.js';
import { inWords } from './telling.js';
import { text, texts } from './texts.js';

// Path patterns of the fragment, each with the module whose `open(page)` makes the view:
// {title, element, keys?: [[key, what it does]], close?()}.
const VIEWS = [
  [/^\/buffers$/, () => import('./buffers/cards.js')],
  [/^\/buffers\/(?<id>[^/]+)$/, () => import('./timeline/buffer.js')],
  [/^\/clips$/, () => import('./library/grid.js')],
  [/^\/clips\/(?<id>[^/]+)$/, () => import('./library/clip.js')],
  [/^\/admin(?:\/(?<tab>[a-z]+))?$/, () => import('./admin/admin.js')],
];
const HOME = '/buffers';
const AGAIN_MS = 2_000;

const main = document.getElementById('main');
const places = new Places(main);
let session = null;
let live = null;
let unwatch = null;
let shown = null;
let turn = 0;

/** Shows what the fragment names. Only the newest of several turns gets to the page. */
async function show() {
  if (!session) return;
  const fragment = location.hash.slice(1);
  const [path, query = ''] = (fragment.startsWith('/') ? fragment : HOME).split('?');
  const mine = ++turn;
  places.leave();
  markNav(path);
  main.setAttribute('aria-busy', 'true');
  let view;
  try {
    view = await opened(path, new URLSearchParams(query));
  } catch (error) {
    view = failed(error);
  }
  if (mine !== turn || !session) return view.close?.();
  shown?.close?.();
  shown = view;
  document.title = `${view.title} · ${texts.shell.brand}`;
  main.removeAttribute('aria-busy');
  fill(main, view.element);
  places.arrive();
}

async function opened(path, query) {
  const whose = { session, api: session.api, live }; // there may be nobody any more when it is loaded
  for (const [pattern, load] of VIEWS) {
    const match = pattern.exec(path);
    if (!match) continue;
    const params = decoded(match.groups ?? {});
    if (!params) break;
    const { open } = await loaded(load);
    return open({ ...whose, params, query });
  }
  return { title: texts.shell.unknown, element: h('h1', { class: 'empty' }, texts.shell.unknown) };
}

function decoded(groups) {
  try {
    return Object.fromEntries(
      Object.entries(groups).map(([name, value]) => [name, value && decodeURIComponent(value)]),
    );
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

async function loaded(load) {
  try {
    return await load();
  } catch (error) {
    // What can't be fetched is a TypeError; what can't be read, a SyntaxError.
    if (error instanceof TypeError) throw new Problem(0, { type: 'unreachable', detail: error.message });
    throw error;
  }
}

function failed(error) {
  if (!(error instanceof Problem)) console.error(error);
  const again = () => (error instanceof Problem && error.status ? void show() : location.reload());
  return {
    title: texts.shell.failed,
    element: h(
      'div',
      { class: 'empty' },
      h('h1', {}, texts.shell.failed),
      h('p', {}, inWords(error)),
      h('button', { onclick: again }, texts.shell.retry),
    ),
  };
}

function markNav(path) {
  for (const link of document.querySelectorAll('#nav a')) {
    const here = path.startsWith(link.getAttribute('href').slice(1));
    if (here) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

function fillBar() {
  const nav = document.getElementById('nav');
  const who = document.getElementById('who');
  if (!session) return fill(nav), fill(who);
  const links = [
    ['#/buffers', texts.shell.buffers],
    ['#/clips', texts.shell.clips],
    session.administrates && ['#/admin', texts.shell.admin],
  ].filter(Boolean);
  const { identity } = session.facts;
  const now = JSON.stringify([links, identity]);
  if (nav.dataset.filled === now && nav.firstChild) return; // the focus may be on one of them
  nav.dataset.filled = now;
  fill(nav, links.map(([href, label]) => h('a', { href }, label)));
  const keys = { class: 'plain key', 'aria-label': texts.keyboard.title, title: texts.keyboard.title };
  fill(
    who,
    h('span', { class: 'identity', title: identity }, h('bdi', {}, identity)),
    h('button', { ...keys, onclick: () => showKeys(shown?.keys ?? []) }, '?'),
    h('button', { class: 'plain', onclick: () => session.leave() }, texts.shell.leave),
  );
  markNav(location.hash.slice(1) || HOME);
}

async function begin(found) {
  session = found;
  live = new LiveBuffers(session.api);
  tellConnection(live);
  unwatch = watchExpiry(session);
  session.addEventListener('change', fillBar);
  session.addEventListener('resumed', () => live.listen());
  session.addEventListener('end', () => void over());
  fillBar();
  await show();
}

async function over() {
  live.close();
  unwatch();
  shown?.close?.();
  tellConnection(null);
  [session, live, shown] = [null, null, null];
  turn++;
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
  fillBar();
  places.forget();
  await begin(await enter(main, texts.entry.left));
}

/** A session of the token that was brought, that this tab has, or that the viewer pastes. */
async function anySession() {
  const brought = broughtToken();
  for (;;) {
    try {
      const found = await (brought ? Session.begun(brought) : Session.found());
      return found ?? (await enter(main, ''));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 401) {
        forget();
        return enter(main, brought ? inWords(refusedToken(error)) : texts.entry.expired);
      }
      fill(main, h('p', { class: 'empty', role: 'status' }, error.status ? inWords(error) : texts.shell.lost));
      await new Promise((resolve) => void setTimeout(resolve, AGAIN_MS));
    }
  }
}

for (const element of document.querySelectorAll('[data-text]')) {
  element.textContent = text(element.dataset.text);
}
for (const element of document.querySelectorAll('[data-label]')) {
  element.setAttribute('aria-label', text(element.dataset.label));
}
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault(); // the fragment is the view's
  main.focus();
});
listenToKeys(() => shown?.keys ?? []);
addEventListener('hashchange', () => {
  // A token that is pasted into the address of an open page.
  if (location.hash.startsWith('#token=')) location.reload();
  else void show();
});

await begin(await anySession());
