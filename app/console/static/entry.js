// Getting in: a token is pasted where none was brought.

import { fill, h } from './dom.js';
import { Problem } from './api.js';
import { Session } from './session.js';
import { inWords } from './telling.js';
import { texts } from './texts.js';

/** Asks for a token until one is taken; resolves with its session. `message` says why it asks. */
export function enter(place, message) {
  document.title = `${texts.entry.title} · ${texts.shell.brand}`;
  return new Promise((resolve) => {
    const input = h('input', {
      id: 'token',
      type: 'password',
      autocomplete: 'off',
      spellcheck: 'false',
      required: true,
      'aria-describedby': 'entry-message',
    });
    const says = h('p', { id: 'entry-message', role: 'alert' }, message);
    const button = h('button', { class: 'primary' }, texts.entry.submit);
    const submit = async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        resolve(await Session.begun(input.value));
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        says.textContent = error.status === 401 ? texts.entry.refused : inWords(error);
        input.select();
      } finally {
        button.disabled = false;
      }
    };
    fill(
      place,
      h(
        'form',
        { class: 'entry', onsubmit: submit },
        h('h1', {}, texts.entry.title),
        h('p', {}, texts.entry.explain),
        h('label', { for: 'token' }, texts.entry.label),
        input,
        button,
        says,
      ),
    );
    input.focus();
  });
}
