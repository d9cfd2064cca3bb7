// The rules of one community, to be changed, and its members.

import { h } from '../dom.js';
import { icon } from '../icons.js';
import { inWords, tell } from '../telling.js';
import { called, texts } from '../texts.js';
import { membersOf } from './members.js';
import { pathName } from './names.js';

/**
 * @import { ConfigRequest, ConfigView } from '../../types.js'
 * @import { Api } from '../api.js'
 * @import { Session } from '../session.js'
 * @typedef {'max_concurrent' | 'max_concurrent_per_user' | 'access' | 'capture_policy' | 'sharer_rights' | 'retention_minutes'} Rule
 * @typedef {{name: Rule, element: HTMLElement, show: (now: ConfigView) => void,
 *   read: () => string | number | null}} Field
 */

const own = texts.admin.communities;

/**
 * @param {string} name
 * @param {Api} api
 * @param {Session} session
 */
export async function communityOf(name, api, session) {
  const path = `/communities/${pathName(name)}/config`;
  const isAdmin = session.isAdminOf(name);
  const form = rulesForm(await api.get(path), (change) => api.put(path, change), isAdmin);
  const members = await membersOf(name, api, session);
  const element = h(
    'section',
    { class: 'community' },
    h('a', { class: 'back', href: '#/admin/communities' }, icon('back'), own.back),
    h('h1', {}, name),
    h('div', { class: 'beside' }, form, members.element),
  );
  return { element, close: members.close };
}

/**
 * `rules`: those in force, `own` the names of those that are the community's own.
 *
 * @param {ConfigView} rules
 * @param {(change: ConfigRequest) => Promise<ConfigView>} save
 * @param {boolean} isAdmin whether the viewer may change who may do what
 */
function rulesForm(rules, save, isAdmin) {
  const wrong = h('p', { class: 'bad-text', role: 'alert', hidden: true });
  const submit = h('button', { class: 'primary' }, own.save);
  const enabled = h('input', { type: 'checkbox', name: 'enabled', checked: rules.enabled });
  const shares = number('max_concurrent', rules, { min: 0, step: 1 });
  const ofOne = number('max_concurrent_per_user', rules, { min: 1, step: 1 });
  const minutes = number('retention_minutes', rules, { step: 'any' });
  const access = choice('access', rules, own.access, isAdmin);
  const policy = choice('capture_policy', rules, own.policies, isAdmin);
  const rights = choice('sharer_rights', rules, own.rights, isAdmin);
  const fields = [shares, ofOne, access, policy, rights, minutes];
  const mayChange = isAdmin ? fields : [shares, ofOne, minutes];
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    wrong.hidden = true;
    submit.disabled = true;
    try {
      const values = Object.fromEntries(mayChange.map((field) => [field.name, field.read()]));
      const now = await save({ enabled: enabled.checked, ...values });
      for (const field of fields) field.show(now);
      tell(own.saved);
    } catch (error) {
      wrong.textContent = inWords(error);
      wrong.hidden = false;
    }
    submit.disabled = false;
  };
  return h(
    'form',
    { class: 'rules card', onsubmit: (event) => void send(event) },
    h('h2', {}, own.rules),
    h(
      'label',
      { class: 'check' },
      enabled,
      h('span', {}, own.enabled, h('span', { class: 'hint' }, own.hints.enabled)),
    ),
    fields.map((field) => field.element),
    wrong,
    h('div', { class: 'row end' }, submit),
  );
}

/**
 * A number of the community's own, or the instance's.
 *
 * @param {'max_concurrent' | 'max_concurrent_per_user' | 'retention_minutes'} name
 * @param {ConfigView} rules
 * @param {{min?: number, step: number | 'any'}} steps; without `min` the service says what is too little
 * @returns {Field}
 */
function number(name, rules, steps) {
  const id = `rule-${name}`;
  const max = rules.ceilings[name];
  const input = h('input', { type: 'number', id, name, required: true, max, ...steps });
  /** @type {HTMLInputElement} */
  const ofInstance = h('input', { type: 'checkbox', onchange: () => (input.disabled = ofInstance.checked) });
  const show = (/** @type {ConfigView} */ now) => {
    input.value = String(now[name]);
    ofInstance.checked = !now.own.includes(name);
    input.disabled = ofInstance.checked;
  };
  show(rules);
  const element = h(
    'div',
    { class: 'field' },
    h('label', { for: id }, own.names[name]),
    h('div', { class: 'row' }, input, h('label', { class: 'default' }, ofInstance, own.asInstance)),
    h('p', { class: 'hint' }, own.hints[name](max)),
  );
  return { name, element, show, read: () => (ofInstance.checked ? null : Number(input.value)) };
}

/**
 * One of several values, or the instance's.
 *
 * @param {'access' | 'capture_policy' | 'sharer_rights'} name
 * @param {ConfigView} rules
 * @param {Record<string, string>} values
 * @param {boolean} mayChange
 * @returns {Field}
 */
function choice(name, rules, values, mayChange) {
  const id = `rule-${name}`;
  const select = h('select', { id, name, disabled: !mayChange });
  const show = (/** @type {ConfigView} */ now) => {
    const ownOne = now.own.includes(name);
    const inForce = ownOne ? own.asInstance : own.asInstanceNow(called(values, now[name]) ?? now[name]);
    select.replaceChildren(
      h('option', { value: '', selected: !ownOne }, inForce),
      ...Object.entries(values).map(([value, label]) =>
        h('option', { value, selected: ownOne && now[name] === value }, label),
      ),
    );
  };
  show(rules);
  const element = h(
    'div',
    { class: 'field' },
    h('label', { for: id }, own.names[name]),
    select,
    h('p', { class: 'hint' }, mayChange ? own.hints[name] : own.adminsOnly),
  );
  return { name, element, show, read: () => select.value || null };
}
