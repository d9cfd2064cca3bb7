// The keys that the page knows, and the dialog that tells them.

import { h } from './dom.js';
import { texts } from './texts.js';

const own = texts.keyboard;
const OFF = 'replay.keys-off';
const TURNED = 'replay-keys-turned';

/** Whether single keys do anything. */
export const keysOn = () => sessionStorage.getItem(OFF) === null;

/** A switch of them: who dictates may not want them. */
export function keysSwitch() {
  const turn = () => {
    if (on.checked) sessionStorage.removeItem(OFF);
    else sessionStorage.setItem(OFF, '1');
    document.dispatchEvent(new Event(TURNED));
  };
  const on = h('input', { type: 'checkbox', checked: keysOn(), onchange: turn });
  const label = h('label', { class: 'row note keys-switch' }, on, own.on);
  // There may be another one, in the dialog or below it.
  const follow = () => {
    on.checked = keysOn();
    if (!label.isConnected) document.removeEventListener(TURNED, follow);
  };
  document.addEventListener(TURNED, follow);
  return label;
}

/**
 * A key and what it does.
 * @typedef {string[]} Key
 */

/**
 * Begins to listen. `keysOfView()` gives what the shown view knows.
 *
 * @param {() => Key[]} keysOfView
 */
export function listenToKeys(keysOfView) {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !keysOn() || isTyping(event)) return;
    if (event.key === '?') showKeys(keysOfView());
    else if (event.key === '/') search(event);
  });
}

/**
 * Whether a key is meant for the field that has the focus, or for a dialog, not for the page.
 *
 * @param {Event} event
 */
export function isTyping(event) {
  const { target } = event;
  if (!(target instanceof Element)) return false;
  return Boolean(target.closest('select, textarea, [contenteditable], dialog, input:not([type=checkbox], [type=radio])'));
}

/** Shows the dialog. @param {Key[]} ofView */
export function showKeys(ofView) {
  const done = h('button', { class: 'primary', onclick: () => dialog.close() }, own.close);
  /** @type {HTMLDialogElement} */
  const dialog = h(
    'dialog',
    { class: 'keys', 'aria-labelledby': 'keys-title', onclose: () => dialog.remove() },
    h('h2', { id: 'keys-title' }, own.title),
    ofView.length ? [h('h3', {}, own.here), list(ofView), h('h3', {}, own.everywhere)] : null,
    list(own.keys),
    keysSwitch(),
    h('div', { class: 'row end' }, done),
  );
  document.body.append(dialog);
  dialog.showModal();
  done.focus();
}

/** @param {Key[]} keys */
function list(keys) {
  return h(
    'dl',
    {},
    keys.map(([key, does]) => h('div', {}, h('dt', {}, h('kbd', {}, key)), h('dd', {}, does))),
  );
}

/** @param {Event} event */
function search(event) {
  /** @type {HTMLInputElement | null} */
  const field = document.querySelector('main input[type=search]');
  if (!field || field.closest('[hidden]')) return;
  event.preventDefault();
  field.focus();
  field.select();
}
