// Questions that stop everything else until they are answered.

import { h } from './dom.js';
import { inWords } from './telling.js';
import { texts } from './texts.js';

/** @import { Child } from './dom.js' */

let count = 0;

/**
 * Asks in a <dialog>. `explain` is a text or an element, `fields` are elements below it, `submit` the
 * label of the button that says yes. With `act`, an async function of the form's data, the dialog
 * stays open, and tells why, until it has succeeded. Resolves with the form's data; null if the
 * viewer has thought better of it.
 *
 * @param {{title: string, explain?: Child, fields?: Child,
 *   submit: string, danger?: boolean, act?: ((data: FormData) => Promise<unknown>) | null}} question
 * @returns {Promise<FormData | null>}
 */
export function ask({ title, explain = null, fields = [], submit, danger = false, act = null }) {
  const id = `ask-${++count}`;
  const wrong = h('p', { class: 'bad-text', role: 'alert', hidden: true });
  const yes = h('button', { type: 'submit', class: danger ? 'primary bad' : 'primary' }, submit);
  const no = h('button', { type: 'button', onclick: () => dialog.close() }, texts.shell.cancel);
  const form = h(
    'form',
    { method: 'dialog', class: 'asking' },
    h('h2', { id: `${id}-title` }, title),
    explain && h('div', { id: `${id}-explain`, class: 'explain' }, explain),
    fields,
    wrong,
    h('div', { class: 'row end' }, no, yes),
  );
  const described = explain ? { 'aria-describedby': `${id}-explain` } : {};
  /** @type {HTMLDialogElement} */
  const dialog = h('dialog', { 'aria-labelledby': `${id}-title`, ...described }, form);
  document.body.append(dialog);
  dialog.showModal();
  /** @type {HTMLElement | null} */
  const wanted = form.querySelector('[autofocus]');
  (wanted ?? (danger ? no : yes)).focus();
  return new Promise((resolve) => {
    /** @type {FormData | null} */
    let answer = null;
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const data = new FormData(form);
      if (act) {
        yes.disabled = true;
        wrong.hidden = true;
        try {
          await act(data);
        } catch (error) {
          wrong.textContent = inWords(error);
          wrong.hidden = false;
          return;
        } finally {
          yes.disabled = false;
        }
      }
      answer = data;
      dialog.close();
    });
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(answer);
    });
  });
}

/**
 * What was typed into a field of a form, without spaces around it.
 *
 * @param {FormData} data
 * @param {string} name
 */
export const typed = (data, name) => String(data.get(name) ?? '').trim();

/**
 * Where somebody types whom or what the form is about; `typed` reads it.
 *
 * @param {string} name
 */
export const nameInput = (name) =>
  h('input', { name, required: true, maxlength: 512, autocomplete: 'off', autofocus: true });
