// The communities that the viewer manages: a list, and one of them to change.

import { ask, nameInput, typed } from '../asking.js';
import { h } from '../dom.js';
import { called, texts } from '../texts.js';
import { communityOf } from './community.js';
import { Listing } from '../lists/listing.js';

/**
 * @import { CommunityView } from '../../types.js'
 * @import { Api } from '../api.js'
 * @import { Page } from '../main.js'
 * @import { Session } from '../session.js'
 */

const own = texts.admin.communities;

/** @param {Page} page */
export async function open({ api, query, session }) {
  const of = query.get('of');
  return of === null ? listed(api, session) : communityOf(of, api, session);
}

/**
 * @param {Api} api
 * @param {Session} session
 */
async function listed(api, session) {
  /** @type {Listing<CommunityView>} */
  const listing = new Listing({
    name: own.title,
    columns: own.columns,
    empty: own.nothing,
    file: 'communities',
    ask: (place, signal) => api.get('/communities', { ...place }, { signal }),
    key: (item) => item.id,
    cells: (item) => [
      [
        h('a', { href: fragmentOf(item.id) }, h('bdi', {}, item.title)),
        item.title !== item.id && [' ', h('bdi', { class: 'note' }, item.id)],
      ],
      h('span', { class: item.enabled ? 'badge good' : 'badge soft' }, item.enabled ? own.on : own.off),
      own.slots(item.active, item.max_concurrent),
      called(own.access, item.access)?.name ?? item.access,
      called(own.policies, item.capture_policy)?.name ?? item.capture_policy,
      own.minutes(item.retention_minutes),
      String(item.members),
    ],
  });
  await listing.load();
  const head = h(
    'div',
    { class: 'row top' },
    h('h1', {}, own.title),
    session.facts.instance_admin && h('button', { onclick: () => void add() }, own.add),
  );
  return { element: h('section', {}, head, listing.element), close: () => listing.close() };
}

/** Leads to the rules of a community that need not be there: saved, they make it. */
async function add() {
  const answer = await ask({
    title: own.add,
    explain: own.addExplain,
    fields: h('label', { class: 'field' }, own.name, nameInput('community')),
    submit: own.toRules,
  });
  if (answer) location.hash = fragmentOf(typed(answer, 'community'));
}

/** Where the rules of a community are. @param {string} id */
const fragmentOf = (id) => `#/admin/communities?${new URLSearchParams({ of: id })}`;
