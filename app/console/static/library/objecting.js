// What others do about a clip of a screen: whoever it shows, and its room's admin, close it, delete it or
// ask its owner to; its owner reads of it here.

import { ask, typed } from '../asking.js';
import { fill, h } from '../dom.js';
import { tell, tellProblem } from '../telling.js';
import { texts } from '../texts.js';
import { nameOf } from './words.js';

/**
 * @import { ClipView } from '../../types.js'
 * @import { Api } from '../api.js'
 */

const own = texts.library.objecting;
const LONGEST = 200; // characters of a reason

/**
 * {element, show(clip)}. `onChange(clip)` hears of what has become of the clip, `onGone(clip)` that it
 * is deleted.
 *
 * @param {ClipView} clip
 * @param {{api: Api, identity: string, onChange: (clip: ClipView) => void,
 *   onGone: (clip: ClipView) => void}} options
 */
export function objectionsOf(clip, { api, identity, onChange, onGone }) {
  const element = h('div', { class: 'objections' });

  /** @param {boolean} closed */
  async function close(closed) {
    try {
      onChange(await api.patch(`/clips/${clip.id}`, { closed }));
      tell(closed ? own.closed : own.reopened(clip.owner));
    } catch (error) {
      tellProblem(error);
    }
  }

  async function request() {
    const reason = h('input', { name: 'reason', maxlength: LONGEST, autocomplete: 'off', dir: 'auto', autofocus: true });
    /** @type {ClipView | undefined} */
    let asked;
    await ask({
      title: own.askTitle(clip.owner),
      fields: h('label', { class: 'field' }, own.reason, reason),
      submit: own.ask,
      act: async (data) => {
        asked = await api.post(`/clips/${clip.id}/request-deletion`, { reason: typed(data, 'reason') });
      },
    });
    if (!asked) return;
    onChange(asked);
    tell(own.asked(clip.owner));
  }

  async function remove() {
    const act = () => api.delete(`/clips/${clip.id}`);
    const answer = await ask({
      title: own.deleteTitle(nameOf(clip)),
      explain: own.deleteExplain(clip.owner),
      submit: own.delete,
      danger: true,
      act,
    });
    if (!answer) return;
    tell(own.deleted);
    onGone(clip);
  }

  /** Shows what has become of the clip. @param {ClipView} changed */
  function show(changed) {
    clip = changed;
    const { closed_by: closer, deletion_request: wish, owner, right, sharer } = clip;
    const isMine = owner === identity;
    const mayReopen = closer && !isMine && (closer === identity || right === 'change');
    const said = [
      closer && (closer === identity ? own.closedByYou(owner) : isMine ? own.closedYours(closer) : own.closedBy(closer)),
      wish && (wish.requested_by === identity ? own.youAsked(owner) : own.asks(wish.requested_by, wish.reason)),
    ];
    const others = ['ask', 'close', 'delete'].includes(right);
    fill(
      element,
      others && h('p', { class: 'note' }, sharer === identity ? own.ofYou(owner) : own.ofOther(owner, sharer)),
      said.map((words) => words && h('p', { class: 'said', dir: 'auto' }, words)),
      h(
        'div',
        { class: 'row' },
        mayReopen && h('button', { onclick: () => void close(false) }, own.reopen),
        others && right !== 'ask' && clip.visibility !== 'private' && h('button', { onclick: () => void close(true) }, own.close),
        right === 'delete'
          ? h('button', { class: 'danger', onclick: () => void remove() }, own.delete)
          : others && !wish && h('button', { onclick: () => void request() }, own.ask),
      ),
    );
  }

  show(clip);
  return { element, show };
}
