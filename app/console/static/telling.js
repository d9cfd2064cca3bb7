// Short messages at the page's foot, read out by screen readers.

import { h, partOf } from './dom.js';
import { icon } from './icons.js';
import { Problem, isAborted } from './api.js';
import { called, texts } from './texts.js';

/** @import { Facts } from './facts.js' */

const SHOWN_MS = 6_000;

/**
 * Shows a message. `action` {label, run} is a button beside it, or some of them, and `seconds` how
 * long it stays. One of the same `kind` is taken away first. Returns a function that takes it away.
 *
 * @typedef {{label: string, run: () => void}} Action
 * @param {string} message
 * @param {{action?: Action | Action[], seconds?: number, alert?: boolean, kind?: string}} options
 */
export function tell(message, { action = [], seconds = SHOWN_MS / 1000, alert = false, kind } = {}) {
  if (kind) document.querySelector(`.toast[data-kind="${kind}"]`)?.remove();
  const close = () => toast.remove();
  const buttons = [action].flat().map(({ label, run }) =>
    h('button', { onclick: () => (close(), run()) }, label),
  );
  const dismiss = h('button', { class: 'plain', 'aria-label': texts.shell.dismiss, onclick: close }, icon('close'));
  /** @type {HTMLElement} */
  const toast = h('div', { class: alert ? 'toast bad' : 'toast', 'data-kind': kind }, h('span', { dir: 'auto' }, message), buttons, dismiss);
  placed(partOf(alert ? 'alerts' : 'toasts')).append(toast);
  /** @type {number | undefined} */
  let timer;
  const stay = () => clearTimeout(timer);
  const wait = () => (stay(), (timer = setTimeout(close, seconds * 1000)));
  wait();
  // Whoever is reading it, or about to press its button, is given the time.
  for (const gesture of ['pointerenter', 'focusin']) toast.addEventListener(gesture, stay);
  toast.addEventListener('pointerleave', () => toast.matches(':focus-within') || wait());
  toast.addEventListener('focusout', () => toast.matches(':hover') || wait());
  return close;
}

/**
 * A region, put into the dialog on top, if there is one: all outside of it is inert.
 *
 * @param {HTMLElement} region
 */
function placed(region) {
  const dialog = [...document.querySelectorAll('dialog:modal')].at(-1);
  const home = dialog ?? document.body;
  if (region.parentElement !== home) {
    home.append(region);
    dialog?.addEventListener('close', () => placed(region), { once: true });
  }
  return region;
}

/** Shows why something failed, in words with what to do. @param {unknown} error */
export function tellProblem(error) {
  if (isAborted(error)) return;
  tell(inWords(error), { alert: true, seconds: 12 });
  if (!(error instanceof Problem)) throw error;
}

/**
 * A Problem as a sentence with what to do; the service's own detail where no text is known.
 *
 * @param {unknown} error
 */
export function inWords(error) {
  if (!(error instanceof Problem)) return texts.problems.unexpected;
  const text = called(texts.problems, error.type);
  if (!text) return error.message;
  return typeof text === 'function' ? text(factsOf(error)) : text;
}

/**
 * A Problem's document: the service tells the facts that a text for its type needs.
 *
 * @param {Problem} problem
 */
export function factsOf({ document: told }) {
  return /** @type {Facts} */ (told);
}
