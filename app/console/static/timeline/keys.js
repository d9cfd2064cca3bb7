// Single keys, wherever the focus is, unless something is being typed or a control wants them.

import { keysOn } from '../keyboard.js';

const TYPING =
  'input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]';
const PRESSED = 'button, a, summary, [type=checkbox], [type=radio], video[controls]';
const MOVED = '[role=slider], [type=range], [type=radio], video[controls], select';
const REPEATED = /^(Arrow.*|[,.])$/; // what goes on while a key is held

/**
 * Listens until `signal` aborts. The keys of `actions` are letters in lower case, `Shift+x`, names.
 *
 * @param {Record<string, (event: KeyboardEvent) => void>} actions
 * @param {AbortSignal} signal
 */
export function listenToKeys(actions, signal) {
  const listen = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !keysOn()) return;
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest('dialog') || target?.matches(TYPING)) return;
    if ((event.key === ' ' || event.key === 'Enter') && target?.closest(PRESSED)) return;
    if (/^(Arrow|Home|End|Page)/.test(event.key) && target?.closest(MOVED)) return;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const action = (event.shiftKey && actions[`Shift+${name}`]) || actions[name];
    if (!action) return;
    event.preventDefault();
    if (event.repeat && !REPEATED.test(event.key)) return;
    action(event);
  };
  document.addEventListener('keydown', listen, { signal });
}
