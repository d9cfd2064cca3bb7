// The shell: who is looking, what they look at.

import { fill, h } from './dom.js';
import { LiveBuffers } from './live.js';
import { Session } from './session.js';
import { Problem } from './api.js';
import { enter } from './entry.js';
import { inWords } from './telling.js';
import { text, texts } from './texts.js';

// Path patterns of the fragment, each with the module whose `open(page)` makes the view.
const VIEWS = [
  [/^\/buffers$/, () => import('./buffers/cards.js')],
  [/^\/buffers\/(?<id>[^/]+)$/, () => import('./timeline/buffer.js')],
  [/^\/clips$/, () => import('./library/grid.js')],
  [/^\/clips\/(?<id>[^/]+)$/, () => import('./library/clip.js')],
  [/^\/admin(?:\/(?<tab>[a-z]+))?$/, () => import('./admin/admin.js')],
];
const HOME = '/buffers';

const main = document.getElementById('main');
let session = null;
let live = null;
let shown = null;
let turn = 0;

/** Shows what the fragment names. Only the newest of several turns gets to the page. */
async function show() {
  if (!session) return;
  const [path, query = ''] = (location.hash.slice(1) || HOME).split('?');
  if (!path.startsWith('/')) return; // the skip link's
  const mine = ++turn;
  markNav(path);
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
  fill(main, view.element);
  (main.querySelector('[autofocus]') ?? main).focus({ preventScroll: true });
  scrollTo(0, 0);
}

async function opened(path, query) {
  for (const [pattern, load] of VIEWS) {
    const match = pattern.exec(path);
    if (!match) continue;
    const params = Object.fromEntries(
      Object.entries(match.groups ?? {}).map(([name, value]) => [name, value && decodeURIComponent(value)]),
    );
    const { open } = await load();
    return open({ session, api: session.api, live, params, query });
  }
  return { title: texts.shell.unknown, element: h('p', { class: 'empty' }, texts.shell.unknown) };
}

function failed(error) {
  if (!(error instanceof Problem)) console.error(error);
  return { title: texts.shell.brand, element: h('p', { class: 'empty' }, inWords(error)) };
}

function markNav(path) {
  for (const link of document.querySelectorAll('#nav a')) {
    const here = path.startsWith(link.getAttribute('href').slice(1));
    if (here) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

function fillBar() {
  const links = [
    ['#/buffers', texts.shell.buffers],
    ['#/clips', texts.shell.clips],
    session?.administrates && ['#/admin', texts.shell.admin],
  ];
  const nav = document.getElementById('nav');
  const who = document.getElementById('who');
  if (!session) return fill(nav), fill(who);
  fill(nav, links.filter(Boolean).map(([href, label]) => h('a', { href }, label)));
  const leave = () => session.end('left');
  fill(who, h('span', { class: 'identity' }, session.facts.identity), h('button', { class: 'plain', onclick: leave }, texts.shell.leave));
  markNav(location.hash.slice(1) || HOME);
}

async function begin(found) {
  session = found;
  live = new LiveBuffers(session.api);
  session.addEventListener('change', fillBar);
  session.addEventListener('end', (event) => void over(event.detail));
  fillBar();
  await show();
}

async function over(why) {
  live.close();
  shown?.close?.();
  [session, live, shown] = [null, null, null];
  turn++;
  fillBar();
  await enterWith(texts.entry[why]);
}

async function enterWith(message) {
  await begin(await enter(main, message));
}

for (const element of document.querySelectorAll('[data-text]')) {
  element.textContent = text(element.dataset.text);
}
addEventListener('hashchange', () => {
  // A token that is pasted into the address of an open page.
  if (location.hash.startsWith('#token=')) location.reload();
  else void show();
});

try {
  const found = await Session.found();
  await (found ? begin(found) : enterWith(''));
} catch (error) {
  if (!(error instanceof Problem)) throw error;
  await enterWith(error.status === 401 ? texts.entry.expired : inWords(error));
}
