// Making elements. Strings only ever become text nodes and attribute values, never markup.

/**
 * An element with attributes and children.
 *
 * `on…` attributes that are functions are listeners; true sets an attribute without a value, and
 * false, null and undefined leave it out. Properties that no attribute sets well (`value`,
 * `checked`, `indeterminate`, `srcObject`, `disabled`, `hidden`) are set as properties. Children
 * may be nested; null, undefined and false are left out.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...nodes(children));
  return element;
}

const PROPERTIES = new Set(['value', 'checked', 'indeterminate', 'disabled', 'hidden']);

/** Sets attributes as `h` does. */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      if (!name.startsWith('on')) throw new TypeError(`${name}: only listeners are functions`);
      element.addEventListener(name.slice(2), value);
    } else if (PROPERTIES.has(name)) {
      element[name] = value ?? '';
    } else if (value === true) {
      element.setAttribute(name, '');
    } else if (value === false || value === null || value === undefined) {
      element.removeAttribute(name);
    } else {
      if (/^on/i.test(name)) throw new TypeError(`${name}: a listener is a function`);
      element.setAttribute(name, value);
    }
  }
}

/** Puts children in the place of those that an element has. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
}

function nodes(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false);
}

/** Calls `update` once in the next frame, however often the function that it returns is called. */
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
