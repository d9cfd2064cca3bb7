// The shell: who is looking, what they look at.

import { fill, h, partOf } from './dom.js';
import { icon } from './icons.js';
import { LiveBuffers } from './live.js';
import { Session, broughtToken, forget } from './session.js';
import { Problem, unreachable } from './api.js';
import { ask } from './asking.js';
import { tellConnection } from './connection.js';
import { enter, refusedToken } from './entry.js';
import { watchExpiry } from './expiry.js';
import { listenToKeys, showKeys } from './keyboard.js';
import { language } from './language.js';
import { menu } from './menu.js';
import { answerTabs, othersSignedIn } from './other_tabs.js';
import { Places } from './places.js';
import { inWords, tell } from './telling.js';
import { text, texts } from './texts.js';

/**
 * What a view is made of: who looks, at what, and what the fragment's path and query say.
 * @import { Api } from './api.js'
 * @import { Key } from './keyboard.js'
 * @typedef {{session: Session, api: Api, live: LiveBuffers, params: Record<string, string>,
 *   query: URLSearchParams}} Page
 */

/**
 * What is shown; `close` is called when it is not any more.
 * @typedef {{title: string, element: Node, keys?: Key[], close?: () => void}} View
 */

/** @typedef {{open: (page: Page) => View | Promise<View>}} ViewModule */

/**
 * Path patterns of the fragment, each with the module that makes the view.
 * @type {[RegExp, () => Promise<ViewModule>][]}
 */
const VIEWS = [
  [/^\/buffers$/, () => import('./buffers/cards.js')],
  [/^\/buffers\/(?<id>[^/]+)$/, () => import('./timeline/buffer.js')],
  [/^\/rooms\/(?<room>[^/]+)$/, () => import('./together/room.js')],
  [/^\/clips$/, () => import('./library/grid.js')],
  [/^\/clips\/(?<id>[^/]+)$/, () => import('./library/clip.js')],
  [/^\/admin(?:\/(?<tab>[a-z]+))?$/, () => import('./admin/admin.js')],
];
const HOME = '/buffers';
const everywhere = texts.shell.leaveEverywhere;
const AGAIN_MS = 2_000;

const main = partOf('main');
const places = new Places(main);
/** @type {{session: Session, live: LiveBuffers, unwatch: () => void, silence: () => void} | null} */
let looking = null;
/** @type {View | null} */
let shown = null;
let turn = 0;

/** Shows what the fragment names. Only the newest of several turns gets to the page. */
async function show() {
  if (!looking) return;
  const fragment = location.hash.slice(1);
  const [path, query = ''] = (fragment.startsWith('/') ? fragment : HOME).split('?');
  const mine = ++turn;
  places.leave();
  markNav(path);
  main.setAttribute('aria-busy', 'true');
  /** @type {View} */
  let view;
  try {
    view = await opened(looking, path, new URLSearchParams(query));
  } catch (error) {
    view = failed(error);
  }
  if (mine !== turn || !looking) return view.close?.();
  shown?.close?.();
  shown = view;
  document.title = `${view.title} · ${texts.shell.brand}`;
  main.removeAttribute('aria-busy');
  fill(main, view.element);
  places.arrive();
}

/**
 * @param {{session: Session, live: LiveBuffers}} who
 * @param {string} path
 * @param {URLSearchParams} query
 * @returns {Promise<View>}
 */
async function opened({ session, live }, path, query) {
  for (const [pattern, load] of VIEWS) {
    const match = pattern.exec(path);
    if (!match) continue;
    const params = decoded(match.groups ?? {});
    if (!params) break;
    const { open } = await loaded(load);
    return open({ session, api: session.api, live, params, query });
  }
  return { title: texts.shell.unknown, element: h('h1', { class: 'empty' }, texts.shell.unknown) };
}

/**
 * Those that there are, decoded; null if one can't be.
 *
 * @param {Record<string, string | undefined>} groups
 */
function decoded(groups) {
  try {
    /** @type {Record<string, string>} */
    const params = {};
    for (const [name, value] of Object.entries(groups)) if (value) params[name] = decodeURIComponent(value);
    return params;
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

/** @param {() => Promise<ViewModule>} load */
async function loaded(load) {
  try {
    return await load();
  } catch (error) {
    // What can't be fetched is a TypeError; what can't be read, a SyntaxError.
    if (error instanceof TypeError) throw unreachable(error);
    throw error;
  }
}

/**
 * @param {unknown} error
 * @returns {View}
 */
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

/** @param {string} path */
function markNav(path) {
  for (const link of document.querySelectorAll('#nav a')) {
    const here = path.startsWith(link.getAttribute('href')?.slice(1) ?? '#');
    if (here) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

function fillBar() {
  const nav = partOf('nav');
  const who = partOf('who');
  if (!looking) return fill(nav), fill(who);
  const { session } = looking;
  const links = [
    ['#/buffers', texts.shell.buffers],
    ['#/clips', texts.shell.clips],
    ...(session.administrates ? [['#/admin', texts.shell.admin]] : []),
  ];
  const { identity } = session.facts;
  const now = JSON.stringify([links, identity]);
  if (nav.dataset.filled === now && nav.firstChild) return; // the focus may be on one of them
  nav.dataset.filled = now;
  fill(nav, links.map(([href, label]) => h('a', { href }, label)));
  const items = [
    h('button', { onclick: () => showKeys(shown?.keys ?? []) }, icon('keyboard'), texts.keyboard.title),
    h('button', { onclick: () => session.leave() }, texts.shell.leave),
    h('button', { onclick: () => void askToLeaveEverywhere(session) }, everywhere.label),
  ];
  const summary = h('summary', { title: identity }, h('bdi', { class: 'identity' }, identity), icon('down'));
  fill(who, menu(summary, items));
  markNav(location.hash.slice(1) || HOME);
}

/** @param {Session} session */
async function askToLeaveEverywhere(session) {
  const act = () => session.leaveEverywhere();
  await ask({ title: everywhere.label, explain: everywhere.explain, submit: everywhere.label, act });
}

/** @param {Session} session */
async function begin(session) {
  const live = new LiveBuffers(session.api);
  const silence = answerTabs(() => (session.expired ? null : session.facts.identity));
  looking = { session, live, unwatch: watchExpiry(session), silence };
  tellConnection(live);
  session.addEventListener('change', fillBar);
  session.addEventListener('resumed', () => live.listen());
  session.addEventListener('end', () => void over());
  fillBar();
  await show();
}

async function over() {
  looking?.live.close();
  looking?.unwatch();
  looking?.silence();
  shown?.close?.();
  tellConnection(null);
  [looking, shown] = [null, null];
  turn++;
  for (const dialog of document.querySelectorAll('dialog')) if (dialog.open) dialog.close();
  fillBar();
  places.forget();
  await begin(await enter(main, texts.entry.left));
}

/**
 * The session of a token that a link has brought. Where somebody else's is open, in this tab or in
 * another, it is the viewer who says which of them goes on: what is kept, marked and captured from
 * then on is that one's. Null if there is none to go on with here.
 *
 * @param {string} token
 */
async function broughtSession(token) {
  const open = await openSession();
  let offered;
  try {
    offered = await Session.offered(token);
  } catch (error) {
    if (!open || !(error instanceof Problem) || error.status !== 401) {
      open?.drop();
      throw error;
    }
    tell(inWords(refusedToken(error)));
    return open;
  }
  const theirs = offered.identity;
  const mine = open ? [open.facts.identity] : await othersSignedIn();
  if (mine.length > 0 && !mine.includes(theirs)) {
    const { title, explain, beside, submit } = texts.entry.swap;
    const explained = (open ? explain : beside)(mine[0], theirs);
    if (!(await ask({ title, explain: explained, submit: submit(theirs), danger: true }))) {
      offered.drop();
      return open;
    }
  }
  open?.drop();
  const session = offered.take();
  tell(texts.entry.brought(theirs));
  return session;
}

/** The session of this tab; null if there is none, or none that is taken any more. */
async function openSession() {
  try {
    return await Session.found();
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error;
    forget();
    return null;
  }
}

/** A session of the token that was brought, that this tab has, or that the viewer pastes. */
async function anySession() {
  const brought = broughtToken();
  for (;;) {
    try {
      const found = await (brought ? broughtSession(brought) : Session.found());
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

document.documentElement.lang = language;
for (const element of document.querySelectorAll('[data-text]')) {
  element.textContent = text(element.getAttribute('data-text') ?? '');
}
for (const element of document.querySelectorAll('[data-label]')) {
  element.setAttribute('aria-label', text(element.getAttribute('data-label') ?? ''));
}
document.querySelector('.skip')?.addEventListener('click', (event) => {
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
