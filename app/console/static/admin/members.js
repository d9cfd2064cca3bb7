// Who has a role or grants in a community: found, added, changed, removed.

import { ask, nameInput, typed } from '../asking.js';
import { h } from '../dom.js';
import { tell } from '../telling.js';
import { called, texts } from '../texts.js';
import { Listing, listingHead } from '../lists/listing.js';
import { pathName } from './names.js';

/**
 * @import { ListedMember } from '../../types.js'
 * @import { Api } from '../api.js'
 * @import { Session } from '../session.js'
 */

const own = texts.admin.members;

/**
 * @param {string} community
 * @param {Api} api
 * @param {Session} session
 */
export async function membersOf(community, api, session) {
  const isAdmin = session.isAdminOf(community);
  const path = `/communities/${pathName(community)}/members`;
  const of = (/** @type {string} */ identity) => `${path}/${pathName(identity)}`;
  let search = '';
  /** @type {Listing<ListedMember>} */
  const listing = new Listing({
    name: own.title,
    columns: own.columns,
    empty: own.nothing,
    file: 'members',
    ask: (place, signal) => api.get(path, { search, ...place }, { signal }),
    key: (item) => item.identity,
    cells: (item) => [
      item.identity,
      called(own.roles, item.role) ?? item.role,
      item.grants.map((grant) => called(own.grants, grant) ?? grant).join(', ') || '–',
      isAdmin && item.identity !== session.facts.identity && buttons(item),
    ],
  });

  /** Of somebody else: nobody changes what they may do themselves. @param {ListedMember} item */
  function buttons(item) {
    return h(
      'div',
      { class: 'row' },
      h(
        'button',
        { 'aria-label': own.changeOf(item.identity), onclick: () => void change(item) },
        own.change,
      ),
      h(
        'button',
        { class: 'danger', 'aria-label': own.removeOf(item.identity), onclick: () => void remove(item) },
        own.remove,
      ),
    );
  }

  /** @param {ListedMember | null} item */
  async function change(item) {
    const identity = nameInput('identity');
    /** @type {{member: ListedMember | null}} */
    const now = { member: null };
    const answer = await ask({
      title: item ? own.changeOf(item.identity) : own.add,
      fields: [
        !item && h('label', { class: 'field' }, own.identity, identity),
        roles(item?.role),
        grants(item?.grants ?? []),
      ],
      submit: own.save,
      act: async (data) => {
        const body = { role: data.get('role'), grants: data.getAll('grants') };
        now.member = await api.put(of(item?.identity ?? typed(data, 'identity')), body);
      },
    });
    if (!answer || !now.member) return;
    listing.put(now.member);
    tell(own.saved(now.member.identity));
  }

  /** @param {ListedMember} item */
  async function remove(item) {
    const answer = await ask({
      title: own.removeTitle(item.identity),
      explain: own.removeExplain,
      submit: own.remove,
      danger: true,
      act: () => api.delete(of(item.identity)),
    });
    if (!answer) return;
    listing.drop(item.identity);
    tell(own.removed(item.identity));
  }

  const head = listingHead(own, listing, {
    onSearch: (text) => (search = text),
    onAdd: isAdmin && (() => void change(null)),
  });
  await listing.load();
  const element = h(
    'section',
    { class: 'members' },
    h('h2', {}, own.title),
    head,
    listing.element,
  );
  return { element, close: () => listing.close() };
}

function roles(role = 'member') {
  const options = Object.entries(own.roles).map(([value, label]) =>
    h('option', { value, selected: value === role }, label),
  );
  return h('label', { class: 'field' }, own.role, h('select', { name: 'role' }, options));
}

/** @param {string[]} held */
function grants(held) {
  return h(
    'fieldset',
    { class: 'grants' },
    h('legend', {}, own.grantsTitle),
    Object.entries(own.grants).map(([value, label]) =>
      h(
        'label',
        {},
        h('input', { type: 'checkbox', name: 'grants', value, checked: held.includes(value) }),
        label,
      ),
    ),
  );
}
