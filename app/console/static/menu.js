// A button that opens a short list of actions; it closes when one is taken, and with whatever comes next.

import { h } from './dom.js';

/**
 * @param {HTMLElement} summary
 * @param {HTMLElement[]} items
 */
export function menu(summary, items) {
  const close = () => (element.open = false);
  /** @type {HTMLDetailsElement} */
  const element = h('details', { class: 'menu' }, summary, h('div', { class: 'card', onclick: close }, items));
  element.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !element.open) return;
    event.stopPropagation();
    close();
    summary.focus();
  });
  const isOutside = (/** @type {EventTarget | null} */ at) => at instanceof Node && !element.contains(at);
  element.addEventListener('focusout', ({ relatedTarget }) => void (isOutside(relatedTarget) && close()));
  element.addEventListener('toggle', () => {
    if (!element.open) return;
    const listen = (/** @type {Event} */ { target }) => {
      if (!element.open || isOutside(target)) document.removeEventListener('pointerdown', listen);
      if (isOutside(target)) close();
    };
    document.addEventListener('pointerdown', listen);
  });
  return element;
}
