// Administration: its tabs, and those of them that the viewer may open.

import { h } from '../dom.js';
import { texts } from '../texts.js';

const own = texts.admin;

/**
 * @import { Child } from '../dom.js'
 * @import { Page, View } from '../main.js'
 * @import { Session } from '../session.js'
 * @typedef {keyof typeof own.tabs} Tab
 * @typedef {{element: HTMLElement, close?: () => void}} Screen
 */

/** @type {Record<Tab, () => Promise<{open: (page: Page) => Screen | Promise<Screen>}>>} */
const TABS = {
  shares: () => import('./shares.js'),
  communities: () => import('./communities.js'),
  people: () => import('./people.js'),
  deliveries: () => import('./deliveries.js'),
  audit: () => import('./audit.js'),
  instance: () => import('./instance.js'),
};
const ALL = /** @type {Tab[]} */ (Object.keys(TABS));
/** @type {Tab[]} */
const OF_A_COMMUNITY = ['shares', 'communities'];

/** The tabs of a session's viewer. @param {Session} session */
export function tabsOf(session) {
  if (session.facts.instance_admin) return ALL;
  return session.administrates ? OF_A_COMMUNITY : [];
}

/**
 * @param {Page} page
 * @returns {Promise<View>}
 */
export async function open(page) {
  const tabs = tabsOf(page.session);
  if (!tabs.length) return told(own.nobody);
  const tab = ALL.find((each) => each === (page.params.tab ?? tabs[0]));
  if (!tab) return told(texts.shell.unknown, nav(tabs));
  if (!tabs.includes(tab)) return told(own.notYours(own.tabs[tab]), nav(tabs));
  const { open: opened } = await TABS[tab]();
  const view = await opened(page);
  const bar = nav(tabs, tab);
  // On a phone the tabs go on beside the screen.
  requestAnimationFrame(() =>
    bar.querySelector('[aria-current]')?.scrollIntoView({ inline: 'center', block: 'nearest' }),
  );
  return {
    title: own.tabs[tab],
    element: h('div', { class: 'admin' }, bar, view.element),
    close: () => view.close?.(),
  };
}

/**
 * @param {string} words
 * @param {Child} before
 * @returns {View}
 */
function told(words, before = null) {
  const element = h(
    'div',
    { class: 'admin' },
    before,
    h('h1', {}, own.title),
    h('p', { class: 'empty' }, words),
  );
  return { title: own.title, element };
}

/**
 * @param {Tab[]} tabs
 * @param {Tab} [here]
 */
function nav(tabs, here) {
  const link = (/** @type {Tab} */ tab) =>
    h('a', { href: `#/admin/${tab}`, 'aria-current': tab === here ? 'page' : null }, own.tabs[tab]);
  return h(
    'nav',
    { class: 'tabs', 'aria-label': own.title },
    h(
      'ul',
      {},
      tabs.map((tab) => h('li', {}, link(tab))),
    ),
  );
}
