// The communities that the viewer manages: a list, and one of them to change.

import { h } from '../dom.js';
import { called, texts } from '../texts.js';
import { communityOf } from './community.js';
import { Listing } from '../lists/listing.js';

/**
 * @import { CommunityView } from '../../types.js'
 * @import { Api } from '../api.js'
 * @import { Page } from '../main.js'
 */

const own = texts.admin.communities;

/** @param {Page} page */
export async function open({ api, query, session }) {
  const of = query.get('of');
  return of === null ? listed(api) : communityOf(of, api, session);
}

/** @param {Api} api */
async function listed(api) {
  /** @type {Listing<CommunityView>} */
  const listing = new Listing({
    name: own.title,
    columns: own.columns,
    empty: own.nothing,
    file: 'communities',
    ask: (place, signal) => api.get('/communities', { ...place }, { signal }),
    key: (item) => item.id,
    cells: (item) => [
      h('a', { href: `#/admin/communities?${new URLSearchParams({ of: item.id })}` }, item.id),
      h('span', { class: item.enabled ? 'badge good' : 'badge soft' }, item.enabled ? own.on : own.off),
      own.slots(item.active, item.max_concurrent),
      called(own.access, item.access) ?? item.access,
      called(own.policies, item.capture_policy) ?? item.capture_policy,
      own.minutes(item.retention_minutes),
      String(item.members),
    ],
  });
  await listing.load();
  return { element: h('section', {}, h('h1', {}, own.title), listing.element), close: () => listing.close() };
}
