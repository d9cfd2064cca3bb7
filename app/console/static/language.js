// In which language the page is written, and how it counts.

const LANGUAGES = ['en', 'de'];

/**
 * The first of the viewer's languages that the page is written in; English, if it is in none.
 *
 * @param {readonly string[]} wanted tags such as de-AT, the best first
 */
export function chosen(wanted) {
  const found = wanted.find((tag) => LANGUAGES.includes(tag.split('-')[0].toLowerCase()));
  return found ?? LANGUAGES[0];
}

/**
 * The tag that words, dates and numbers beside them are written by. Node of tests is no browser, and
 * may have no navigator.
 */
export const language = chosen(typeof navigator === 'undefined' ? [] : navigator.languages ?? []);

/** Whether it is German. @param {string} tag */
export const isGerman = (tag) => tag.toLowerCase().split('-')[0] === 'de';

/**
 * Words for a count by the rules of a language: `plural(3, {one: '1 clip', other: '3 clips'})`.
 *
 * @param {string} tag
 */
export function plurals(tag) {
  const rules = new Intl.PluralRules(tag);
  /**
   * @param {number} count
   * @param {Partial<Record<Intl.LDMLPluralRule, string>> & {other: string}} forms
   */
  return (count, forms) => forms[rules.select(count)] ?? forms.other;
}
