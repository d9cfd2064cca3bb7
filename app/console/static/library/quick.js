// A clip over the grid: looked at, and closed again, without leaving the place where one is.

import { h } from '../dom.js';
import { icon } from '../icons.js';
import { texts } from '../texts.js';
import { detailsOf } from './details.js';

/**
 * @import { ClipView } from '../../types.js'
 * @import { Options } from './details.js'
 */

const own = texts.library.details;

/**
 * Opens the dialog. The options are those of the details; gives a function that closes it.
 *
 * @param {ClipView} clip
 * @param {Options} options
 */
export function openQuick(clip, options) {
  const details = detailsOf(clip, {
    ...options,
    level: 2,
    autoplay: true,
    onDelete: (deleted) => {
      dialog.close();
      options.onDelete(deleted);
    },
    onGone: (gone) => {
      dialog.close();
      options.onGone(gone);
    },
  });
  const close = () => dialog.close();
  const page = h(
    'a',
    { class: 'button', href: `#/clips/${encodeURIComponent(clip.id)}`, onclick: close },
    own.page,
  );
  /** @type {HTMLDialogElement} */
  const dialog = h(
    'dialog',
    { class: 'quick', 'aria-label': own.dialog, onclick: (event) => event.target === dialog && close() },
    h('div', { class: 'row end' }, page, h('button', { class: 'plain icon', onclick: close, 'aria-label': own.close, title: own.close }, icon('close'))),
    details.element,
  );
  dialog.addEventListener('close', () => {
    details.close();
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  return close;
}
