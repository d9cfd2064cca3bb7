// Putting words into the clipboard, as far as the browser lets a page.

import { tell } from '../telling.js';
import { texts } from '../texts.js';

/**
 * Copies `text`, and says `said`. Where a page may not, as at http://…, `element`, which shows the
 * whole text then, has it selected: one key more copies it.
 *
 * @param {string} text
 * @param {HTMLElement} element
 * @param {string} said
 */
export async function copy(text, element, said) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // There is no clipboard, or it is denied: both mean that the viewer has to copy it.
    if (element instanceof HTMLInputElement) {
      element.focus();
      element.select();
    } else {
      element.textContent = text;
      getSelection()?.selectAllChildren(element);
    }
    return void tell(texts.library.copyByHand);
  }
  tell(said);
}
