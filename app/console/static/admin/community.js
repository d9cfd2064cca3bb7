// The rules of one community, to be changed, and its members.

import { fill, h } from '../dom.js';
import { icon } from '../icons.js';
import { inWords, tell } from '../telling.js';
import { called, texts } from '../texts.js';
import { effects } from './effects.js';
import { membersOf } from './members.js';
import { pathName } from './names.js';

/**
 * @import { ConfigRequest, ConfigView } from '../../types.js'
 * @import { Api } from '../api.js'
 * @import { Session } from '../session.js'
 * @typedef {'title' | 'max_concurrent' | 'max_concurrent_per_user' | 'access' | 'capture_policy' | 'sharer_rights' | 'retention_minutes'} Rule
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
  const heading = h('h1', { dir: 'auto' });
  const known = h('p', { class: 'note' }, own.called, ' ', h('bdi', {}, name));
  /** @param {ConfigView} rules */
  const show = ({ title }) => {
    heading.textContent = title;
    known.hidden = title === name;
  };
  /** @type {ConfigView} */
  const rules = await api.get(path);
  show(rules);
  /** @param {ConfigRequest} change */
  const save = async (change) => {
    /** @type {ConfigView} */
    const now = await api.put(path, change);
    show(now);
    return now;
  };
  const longest = session.facts.limits.title_length;
  const form = rulesForm(rules, save, { isAdmin, longest });
  const members = await membersOf(name, api, session);
  const element = h(
    'section',
    { class: 'community' },
    h('a', { class: 'back', href: '#/admin/communities' }, icon('back'), own.back),
    heading,
    known,
    h('div', { class: 'beside' }, form, members.element),
  );
  return { element, close: members.close };
}

/**
 * `rules`: those in force, `own` the names of those that are the community's own.
 *
 * @param {ConfigView} rules
 * @param {(change: ConfigRequest) => Promise<ConfigView>} save
 * @param {{isAdmin: boolean, longest: number}} options whether the viewer may change who may do what, and
 *   the title; how long that may be
 */
function rulesForm(rules, save, { isAdmin, longest }) {
  let inForce = rules;
  const wrong = h('p', { class: 'bad-text', role: 'alert', hidden: true });
  const now = h('ul', { class: 'notice', role: 'status', 'aria-label': own.atOnce, hidden: true });
  const submit = h('button', { class: 'primary' }, own.save);
  const enabled = h('input', { type: 'checkbox', name: 'enabled', checked: rules.enabled });
  const title = titleField(rules, longest, isAdmin);
  const limits = [
    number('max_concurrent', rules, { min: 0, step: 1 }),
    number('max_concurrent_per_user', rules, { min: 1, step: 1 }),
    number('retention_minutes', rules, { step: 'any' }),
  ];
  const rights = [
    choice('access', rules, own.access, isAdmin),
    choice('capture_policy', rules, own.policies, isAdmin),
    choice('sharer_rights', rules, own.rights, isAdmin),
  ];
  const fields = [title, ...limits, ...rights];
  const change = () => ({
    enabled: enabled.checked,
    ...Object.fromEntries((isAdmin ? fields : limits).map((field) => [field.name, field.read()])),
  });
  const foretell = () => {
    const told = effects(inForce, change());
    fill(now, told.map((each) => h('li', {}, each)));
    now.hidden = !told.length;
  };
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    wrong.hidden = true;
    submit.disabled = true;
    try {
      inForce = await save(change());
      for (const field of fields) field.show(inForce);
      foretell();
      tell(own.saved);
    } catch (error) {
      wrong.textContent = inWords(error);
      wrong.hidden = false;
    }
    submit.disabled = false;
  };
  return h(
    'form',
    { class: 'rules card', onsubmit: (event) => void send(event), oninput: foretell },
    h('h2', {}, own.rules),
    h('label', { class: 'check' }, enabled, h('span', {}, own.enabled)),
    fields.map((field) => field.element),
    now,
    wrong,
    h('div', { class: 'row end' }, submit),
  );
}

/**
 * What people are shown of the community; empty it is its name.
 *
 * @param {ConfigView} rules
 * @param {number} longest
 * @param {boolean} mayChange
 * @returns {Field}
 */
function titleField({ community, ...rules }, longest, mayChange) {
  const input = h('input', {
    id: 'rule-title',
    name: 'title',
    maxlength: longest,
    placeholder: community,
    autocomplete: 'off',
    dir: 'auto',
    readonly: !mayChange,
    'aria-describedby': 'rule-title-hint',
  });
  const show = (/** @type {Pick<ConfigView, 'title'>} */ now) => {
    input.value = now.title === community ? '' : now.title;
  };
  show(rules);
  const hint = h('p', { class: 'hint', id: 'rule-title-hint' }, mayChange ? own.hints.title(community) : own.adminsOnly);
  const element = h('div', { class: 'field' }, h('label', { for: input.id }, own.names.title), input, hint);
  return { name: 'title', element, show, read: () => input.value.trim() || null };
}

/**
 * A number of the community's own; empty it is the instance's.
 *
 * @param {'max_concurrent' | 'max_concurrent_per_user' | 'retention_minutes'} name
 * @param {ConfigView} rules
 * @param {{min?: number, step: number | 'any'}} steps; without `min` the service says what is too little
 * @returns {Field}
 */
function number(name, rules, steps) {
  const id = `rule-${name}`;
  const max = rules.ceilings[name];
  const placeholder = own.asInstanceNow(String(rules.defaults[name]));
  const hint = h('p', { class: 'hint', id: `${id}-hint` }, own.hints[name](max));
  const input = h('input', { type: 'number', id, name, max, placeholder, 'aria-describedby': hint.id, ...steps });
  const show = (/** @type {ConfigView} */ now) => {
    input.value = now.own.includes(name) ? String(now[name]) : '';
  };
  show(rules);
  const element = h('div', { class: 'field' }, h('label', { for: id }, own.names[name]), input, hint);
  return { name, element, show, read: () => (input.value ? Number(input.value) : null) };
}

/**
 * One of several values, or the instance's: a card for each, with what it means.
 *
 * @param {'access' | 'capture_policy' | 'sharer_rights'} name
 * @param {ConfigView} rules
 * @param {Record<string, {name: string, means: string}>} values
 * @param {boolean} mayChange
 * @returns {Field}
 */
function choice(name, rules, values, mayChange) {
  const ofInstance = own.asInstanceNow(called(values, rules.defaults[name])?.name ?? rules.defaults[name]);
  const options = [['', ofInstance, ''], ...Object.entries(values).map(([value, { name: said, means }]) => [value, said, means])];
  const cards = options.map(([value, said, means]) => {
    const radio = h('input', { type: 'radio', name, value });
    const words = h('span', {}, h('span', {}, said), means && h('span', { class: 'hint' }, means));
    return { value, radio, label: h('label', { class: 'choice' }, radio, words) };
  });
  const show = (/** @type {ConfigView} */ now) => {
    const chosen = now.own.includes(name) ? now[name] : '';
    for (const { value, radio } of cards) radio.checked = value === chosen;
  };
  show(rules);
  const element = h(
    'fieldset',
    { class: 'choices', disabled: !mayChange },
    h('legend', {}, own.names[name]),
    cards.map(({ label }) => label),
    h('p', { class: 'hint' }, mayChange ? own.hints[name] : own.adminsOnly),
  );
  return { name, element, show, read: () => cards.find(({ radio }) => radio.checked)?.value || null };
}
