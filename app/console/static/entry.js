// Getting in: a token is pasted where none was brought.

import { fill, h, set } from './dom.js';
import { Problem } from './api.js';
import { Session } from './session.js';
import { inWords } from './telling.js';
import { texts } from './texts.js';

/** @import { Attributes } from './dom.js' */

/**
 * Asks for a token until one is taken; resolves with its session. `message` says why it asks.
 *
 * @param {HTMLElement} place
 * @param {string} message
 * @returns {Promise<Session>}
 */
export function enter(place, message) {
  document.title = `${texts.entry.title} · ${texts.shell.brand}`;
  return new Promise((resolve) => {
    const input = tokenInput();
    const says = h('p', { id: 'entry-message', role: 'alert' }, message);
    const button = h('button', { class: 'primary' }, texts.entry.submit);
    const submit = async (/** @type {Event} */ event) => {
      event.preventDefault();
      button.disabled = true;
      says.textContent = '';
      try {
        resolve(await Session.begun(input.value));
      } catch (error) {
        says.textContent = inWords(refusedToken(error));
        says.className = 'bad-text';
        if (!(error instanceof Problem)) throw error;
        input.select();
      } finally {
        button.disabled = false;
      }
    };
    fill(
      place,
      h(
        'form',
        { class: 'entry card', onsubmit: submit },
        h('h1', {}, texts.entry.title),
        h('p', {}, texts.entry.explain),
        h('label', { for: input.id }, texts.entry.label),
        input,
        says,
        button,
        h('p', { class: 'hint' }, texts.entry.operators, ' ', h('code', {}, 'python -m app token')),
      ),
    );
    set(input, { 'aria-describedby': says.id });
    input.focus();
  });
}

/**
 * A field for a token: not remembered by the browser, not readable over one's shoulder.
 *
 * @param {Attributes} attributes
 */
export function tokenInput(attributes = {}) {
  return h('input', {
    id: 'token', name: 'token', type: 'password', autocomplete: 'off', spellcheck: 'false', required: true, ...attributes,
  });
}

/**
 * What failed when a token was shown: a refusal is about that token, not about the session.
 *
 * @param {unknown} error
 */
export function refusedToken(error) {
  if (!(error instanceof Problem && error.status === 401)) return error;
  return new Problem(401, { ...error.document, type: 'token-refused' });
}
