// Who uses how much of their quota; quotas of their own.

import { ask, nameInput, typed } from '../asking.js';
import { h } from '../dom.js';
import { tell } from '../telling.js';
import { bytes } from '../times.js';
import { texts } from '../texts.js';
import { Listing, listingHead } from '../lists/listing.js';
import { pathName } from './names.js';

/**
 * @import { QuotaView, UserView } from '../../types.js'
 * @import { Page } from '../main.js'
 */

const own = texts.admin.people;
const GIGABYTE = 1e9;
const NEAR = 0.9;

/** @param {Page} page */
export async function open({ api, session }) {
  let search = '';
  /** @type {Listing<UserView>} */
  const listing = new Listing({
    name: own.title,
    columns: own.columns,
    empty: own.nothing,
    file: 'quotas',
    ask: (place, signal) => api.get('/users', { search, ...place }, { signal }),
    key: (item) => item.identity,
    cells: (item) => [
      item.identity,
      [usage(item), own.used(bytes(item.used_bytes), item.reserved_bytes ? bytes(item.reserved_bytes) : '')],
      [bytes(item.quota_bytes), item.own ? null : ` (${own.asInstance})`],
      // nobody sets their own
      item.identity !== session.facts.identity &&
        h(
          'button',
          { 'aria-label': own.changeOf(item.identity), onclick: () => void change(item) },
          own.change,
        ),
    ],
  });

  /** @param {UserView | null} item */
  async function change(item) {
    const identity = nameInput('identity');
    const size = h('input', {
      type: 'number',
      name: 'gigabytes',
      min: 0,
      max: 1e6,
      step: 'any',
      required: true,
      disabled: item !== null && !item.own,
      value: item ? gigabytes(item) : 5,
    });
    /** @type {HTMLInputElement} */
    const ofInstance = h('input', {
      type: 'checkbox',
      name: 'default',
      checked: item !== null && !item.own,
      onchange: () => (size.disabled = ofInstance.checked),
    });
    /** @type {{user: UserView | null}} */
    const now = { user: null };
    const answer = await ask({
      title: item ? own.changeOf(item.identity) : own.add,
      explain: own.explain,
      fields: [
        !item && h('label', { class: 'field' }, own.identity, identity),
        h('label', { class: 'field' }, own.gigabytes, size),
        h('label', { class: 'check' }, ofInstance, h('span', {}, own.asInstance)),
      ],
      submit: own.save,
      act: async (data) => {
        const who = item?.identity ?? typed(data, 'identity');
        const quota = data.has('default') ? null : Math.round(Number(data.get('gigabytes')) * GIGABYTE);
        /** @type {QuotaView} */
        const told = await api.put(`/users/${pathName(who)}/quota`, { quota_bytes: quota });
        now.user = { identity: who, ...told };
      },
    });
    if (!answer || !now.user) return;
    listing.put(now.user);
    tell(own.saved(now.user.identity, bytes(now.user.quota_bytes)));
  }

  const head = listingHead(own, listing, {
    onSearch: (text) => (search = text),
    onAdd: () => void change(null),
  });
  await listing.load();
  const element = h(
    'section',
    {},
    h('h1', {}, own.title),
    head,
    listing.element,
  );
  return { element, close: () => listing.close() };
}

/** A quota of their own as it was set; the instance's as one reads it. @param {UserView} item */
function gigabytes({ quota_bytes, own: isOwn }) {
  const count = quota_bytes / GIGABYTE;
  return isOwn ? count : Math.round(count * 10) / 10;
}

/** @param {UserView} item */
function usage(item) {
  const part = (/** @type {number} */ count) =>
    item.quota_bytes ? Math.min(1, count / item.quota_bytes) : 1;
  const used = h('span', { class: 'used' });
  const reserved = h('span', { class: 'reserved' });
  used.style.width = `${part(item.used_bytes) * 100}%`;
  reserved.style.width = `${part(item.reserved_bytes) * 100}%`;
  const full = part(item.used_bytes + item.reserved_bytes);
  const level = full >= 1 ? 'full' : full >= NEAR ? 'near' : 'fine';
  return h('div', { class: 'usage', 'data-level': level, 'aria-hidden': 'true' }, used, reserved);
}
