// Making elements. Strings only ever become text nodes and attribute values, never markup.

/**
 * What an attribute may be set to.
 * @typedef {string | number | boolean | null | undefined} Value
 */

/**
 * The attributes that the page uses; a name that is not here is most likely misspelt.
 * @typedef {'alt' | 'autocomplete' | 'autofocus' | 'autoplay' | 'checked' | 'class' | 'controls'
 *   | 'datetime' | 'dir' | 'decoding' | 'disabled' | 'download' | 'for' | 'height' | 'hidden' | 'href' | 'id'
 *   | 'inputmode' | 'label' | 'list' | 'loading' | 'max' | 'maxlength' | 'method' | 'min' | 'name'
 *   | 'placeholder' | 'playsinline' | 'poster' | 'preload' | 'readonly' | 'required' | 'role' | 'scope'
 *   | 'selected' | 'size' | 'spellcheck' | 'src' | 'step' | 'tabindex' | 'title' | 'type' | 'value'
 *   | 'width' | `aria-${string}` | `data-${string}`} Name
 */

/**
 * @typedef {HTMLElementEventMap} Events
 * @typedef {{ [Kind in keyof Events as `on${Kind}`]?: (event: Events[Kind]) => unknown }} Listeners
 */

/** @typedef {{ [Each in Name]?: Value } & Listeners} Attributes */

/**
 * What an element may be filled with.
 * @typedef {Node | string | null | undefined | false | readonly Child[]} Child
 */

/**
 * An element with attributes and children.
 *
 * `on…` attributes that are functions are listeners; true sets an attribute without a value, and
 * false, null and undefined leave it out. Properties that no attribute sets well (`value`,
 * `checked`, `indeterminate`, `srcObject`, `disabled`, `hidden`) are set as properties. Children
 * may be nested; null, undefined and false are left out.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} attributes
 * @param {...Child} children
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...nodes(children));
  return element;
}

const PROPERTIES = new Set(['value', 'checked', 'indeterminate', 'disabled', 'hidden']);

/**
 * Sets attributes as `h` does.
 *
 * @param {HTMLElement} element
 * @param {Attributes} attributes
 */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      if (!name.startsWith('on')) throw new TypeError(`${name}: only listeners are functions`);
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else if (PROPERTIES.has(name)) {
      Object.assign(element, { [name]: value ?? '' });
    } else if (value === true) {
      element.setAttribute(name, '');
    } else if (value === false || value === null || value === undefined) {
      element.removeAttribute(name);
    } else {
      if (/^on/i.test(name)) throw new TypeError(`${name}: a listener is a function`);
      element.setAttribute(name, String(value));
    }
  }
}

/**
 * Puts children in the place of those that an element has.
 *
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
}

/**
 * @param {readonly Child[]} children
 * @returns {(Node | string)[]}
 */
function nodes(children) {
  return children.flatMap((child) => {
    if (child === null || child === undefined || child === false) return [];
    return typeof child === 'string' || child instanceof Node ? [child] : nodes(child);
  });
}

/**
 * Calls `update` once in the next frame, however often the function that it returns is called.
 *
 * @param {() => void} update
 */
export function inNextFrame(update) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      update();
    });
  };
}

/** A part of index.html, which is always there. @param {string} id */
export function partOf(id) {
  const part = document.getElementById(id);
  if (!part) throw new Error(`the page has no #${id}`);
  return part;
}
