// A clip's title, renamed where it stands.

import { fill, h } from '../dom.js';
import { tellProblem } from '../telling.js';
import { texts } from '../texts.js';
import { nameOf } from './words.js';

/** @import { ClipView } from '../../types.js' */

const own = texts.library.rename;

/**
 * `level`: the heading's, 1 or 2; `longest`: how many characters a title may have. `rename(title)` sets
 * it, and gives the clip.
 *
 * @param {ClipView} clip
 * @param {{level: 1 | 2, longest: number, changeable: boolean,
 *   rename: (title: string) => Promise<ClipView>}} options
 */
export function titleOf(clip, { level, longest, changeable, rename }) {
  const element = h('div', { class: 'name row' });

  function showTitle(focus = false) {
    const heading = h(`h${level}`, { dir: 'auto' }, nameOf(clip));
    const button = changeable && h('button', { class: 'plain', onclick: edit }, own.button);
    fill(element, heading, button);
    if (focus && button) button.focus();
  }

  function edit() {
    const input = h('input', {
      name: 'title',
      maxlength: longest,
      value: nameOf(clip),
      dir: 'auto',
      'aria-label': own.label,
    });
    const save = async (/** @type {Event} */ event) => {
      event.preventDefault();
      const title = input.value.trim();
      if (title === nameOf(clip)) return showTitle(true);
      disable(true);
      try {
        clip = await rename(title);
        showTitle(true);
      } catch (error) {
        tellProblem(error);
        disable(false);
        input.focus();
      }
    };
    const leave = (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== 'Escape') return;
      event.preventDefault(); // the dialog around it stays
      event.stopPropagation();
      showTitle(true);
    };
    const controls = [
      input,
      h('button', { class: 'primary' }, own.save),
      h('button', { type: 'button', onclick: () => showTitle(true) }, texts.shell.cancel),
    ];
    const disable = (/** @type {boolean} */ disabled) => {
      for (const each of controls) each.disabled = disabled;
    };
    const form = h(
      'form',
      { class: 'row rename', onsubmit: save, onkeydown: leave },
      controls,
    );
    fill(element, form);
    input.select();
  }

  showTitle();
  return element;
}
