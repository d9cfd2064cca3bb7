// Tables that become lists of cards where there is no room for columns.

import { fill, h } from '../dom.js';

/**
 * @import { Child } from '../dom.js'
 * @typedef {{element: HTMLElement, body: HTMLElement, columns: string[]}} Table
 */

/**
 * A table with a name and columns. Roles are told outright: with another `display`, as on a phone,
 * browsers forget them. `body` is what rows are put into.
 *
 * @param {string} name
 * @param {string[]} columns
 * @returns {Table}
 */
export function table(name, columns) {
  const head = columns.map((column) =>
    h('th', { role: 'columnheader', scope: 'col' }, column || h('span', { class: 'visually-hidden' }, '–')),
  );
  const body = h('tbody', { role: 'rowgroup' });
  const element = h(
    'div',
    { class: 'table card' },
    h(
      'table',
      { role: 'table', 'aria-label': name },
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, head)),
      body,
    ),
  );
  return { element, body, columns };
}

/**
 * A row of a table; `cells` are what `fill` takes, in the order of the columns.
 *
 * @param {Pick<Table, 'columns'>} table
 * @param {Child[]} cells
 */
export function row({ columns }, cells) {
  const made = h(
    'tr',
    { role: 'row' },
    columns.map((column) => h('td', { role: 'cell', 'data-label': column })),
  );
  for (const [place, cell] of cells.entries()) fill(made.children[place], cell);
  return made;
}
