// Items of a list as a file for spreadsheets.

import { h } from '../dom.js';

const LINE_END = '\r\n';
const MARK = '\u{feff}'; // else some spreadsheets take UTF-8 for something else
/** What a spreadsheet takes for a formula, where it stands first; nobody's name is to be one. */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * Items as CSV (RFC 4180): a first line of names, then one for each. Members that are lists or objects
 * are JSON.
 *
 * @param {object[]} items
 */
export function csv(items) {
  const names = [...new Set(items.flatMap((item) => Object.keys(item)))];
  const lines = items.map((item) => {
    const values = new Map(Object.entries(item));
    return names.map((name) => cell(values.get(name)));
  });
  return MARK + [names.map(cell), ...lines].map((line) => line.join(',') + LINE_END).join('');
}

/** @param {unknown} value */
function cell(value) {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * Has the browser save a text.
 *
 * @param {string} text
 * @param {string} name of the file
 */
export function save(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  h('a', { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}
