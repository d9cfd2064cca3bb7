// Who can watch a clip: nobody else, its room, or whoever has its link.

import { ask } from '../asking.js';
import { fill, h } from '../dom.js';
import { tell, tellProblem } from '../telling.js';
import { time } from '../times.js';
import { texts } from '../texts.js';

/** @import { ClipChange, ClipView } from '../../types.js' */

const own = texts.library.audience;
const LIVES = [1, 7, 30, 365]; // days
let count = 0;

/**
 * {element, show(clip)}. `change(fields)` sets fields of the clip, and gives it.
 *
 * @param {ClipView} clip
 * @param {(fields: ClipChange) => Promise<ClipView>} change
 */
export function audienceOf(clip, change) {
  const group = `audience-${++count}`;
  const linkPart = h('div', { class: 'link' });
  const radios = /** @type {const} */ (['private', 'room', 'link']).map((value) => {
    const name = h('span', { id: `${group}-${value}` }, own.names[value]);
    const words = h('span', { class: 'hint', id: `${group}-${value}-hint` }, own.explain[value]);
    const radio = h('input', {
      type: 'radio',
      name: group,
      value,
      checked: clip.visibility === value,
      'aria-labelledby': name.id,
      'aria-describedby': words.id,
      onchange: () => void choose(value),
    });
    return { radio, label: h('label', {}, radio, h('span', {}, name, words)) };
  });
  const labels = radios.map(({ label }) => label);
  const element = h('fieldset', { class: 'audience' }, h('legend', {}, own.legend), labels, linkPart);

  /** Whether it is so now; if not, it was told why. @param {ClipChange} fields */
  async function set(fields) {
    element.disabled = true;
    try {
      clip = await change(fields);
      return true;
    } catch (error) {
      tellProblem(error);
      return false;
    } finally {
      element.disabled = false;
      show(clip);
    }
  }

  /** @param {NonNullable<ClipChange['visibility']>} visibility */
  async function choose(visibility) {
    if (await set({ visibility })) tell(own.chosen[visibility]);
    focusChosen();
  }

  async function renew() {
    const explain = own.renewExplain;
    if (!(await ask({ title: own.renew, explain, submit: own.renew, danger: true }))) return;
    // A link that holds goes on; one that was turned off never comes back, so the next is another.
    const before = clip.page_url;
    if (!(await set({ visibility: 'private' }))) return;
    if (!(await set({ visibility: 'link' }))) return void tell(own.onlyRevoked);
    if (clip.page_url !== before) tell(own.renewed);
  }

  async function revoke() {
    if (await set({ visibility: 'private' })) tell(own.revoked);
    focusChosen();
  }

  function focusChosen() {
    radios.find(({ radio }) => radio.checked)?.radio.focus();
  }

  /** @param {ClipView['link_tells'][number]} fact */
  function telling(fact) {
    const told = clip.link_tells;
    const onchange = () => {
      const others = told.filter((each) => each !== fact);
      void set({ link_tells: others.length < told.length ? others : [...told, fact] });
    };
    const box = h('input', { type: 'checkbox', checked: told.includes(fact), onchange });
    return h('label', { class: 'check' }, box, own.tells[fact]);
  }

  /** Shows what has become of the clip. @param {ClipView} changed */
  function show(changed) {
    clip = changed;
    element.disabled = clip.closed_by !== null;
    for (const { radio } of radios) radio.checked = radio.value === clip.visibility;
    const { page_url: url } = clip;
    if (!url) return fill(linkPart);
    /** @type {HTMLSelectElement} */
    const days = h(
      'select',
      { onchange: () => void set({ visibility: 'link', link_days: Number(days.value) }) },
      h('option', { value: '', selected: true, disabled: true }, own.extend),
      LIVES.map((each) => h('option', { value: each }, own.days(each))),
    );
    /** @type {HTMLInputElement} */
    const link = h('input', { readonly: true, value: url, onfocus: () => link.select() });
    fill(
      linkPart,
      h('label', {}, h('span', { class: 'visually-hidden' }, own.link), link),
      h('p', { class: 'hint' }, own.holds, ' ', clip.link_expires_at && time(clip.link_expires_at)),
      h('p', { class: 'hint' }, texts.library.link.views(clip.views ?? 0)),
      h('div', { class: 'row' }, own.shows, telling('who'), telling('when'), clip.chapters.length > 0 && telling('chapters')),
      h(
        'div',
        { class: 'row' },
        h('label', {}, h('span', { class: 'visually-hidden' }, own.extend), days),
        h('button', { onclick: () => void renew() }, own.renew),
        h('button', { class: 'danger', onclick: () => void revoke() }, own.revoke),
      ),
    );
  }

  return { element, show };
}
