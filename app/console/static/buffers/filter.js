// Which of many shares are shown: by person or room, by state. The page's address remembers it.

import { h, set } from '../dom.js';
import { called, texts } from '../texts.js';
import { GROUPS, groupCalled, isOf } from './words.js';

/** @import { BufferView } from '../../types.js' */

const own = texts.buffers;
const FEW = 3;

export class Filter extends EventTarget {
  /** Tells `change`. @param {URLSearchParams} query of the page */
  constructor(query) {
    super();
    this.words = query.get('find') ?? '';
    this.group = groupCalled(query.get('state'));
    this.input = h('input', {
      type: 'search',
      value: this.words,
      placeholder: own.search,
      'aria-label': own.search,
      oninput: () => this.#find(),
    });
    this.chips = new Map(
      ['all', ...Object.keys(GROUPS)].map((group) => {
        const count = h('span', { class: 'count' });
        const onclick = () => this.#choose(group);
        const chip = h('button', { class: 'chip', onclick }, called(own.groups, group), ' ', count);
        return /** @type {const} */ ([group, { chip, count }]);
      }),
    );
    const chips = [...this.chips.values()].map(({ chip }) => chip);
    this.element = h(
      'div',
      { class: 'row filter', hidden: true },
      this.input,
      h('div', { class: 'row', role: 'group', 'aria-label': own.chips }, chips),
    );
    this.#show();
  }

  /** @param {BufferView} buffer */
  fits(buffer) {
    const words = this.words.trim().toLocaleLowerCase();
    const has = (/** @type {string} */ name) => name.toLocaleLowerCase().includes(words);
    const isFound = !words || has(buffer.sharer) || has(buffer.room);
    return isFound && isOf(this.group, buffer);
  }

  /**
   * Counts the shares of each group. Where there are few, there is nothing to choose.
   *
   * @param {BufferView[]} buffers
   */
  count(buffers) {
    if (buffers.length > FEW || this.words || this.group !== 'all') this.element.hidden = false;
    for (const [group, { count }] of this.chips) {
      const many = buffers.filter((buffer) => isOf(group, buffer)).length;
      if (count.textContent !== String(many)) count.textContent = String(many);
    }
  }

  clear() {
    this.words = this.input.value = '';
    this.#choose('all');
  }

  #find() {
    this.words = this.input.value;
    this.#changed();
  }

  /** @param {string} group */
  #choose(group) {
    this.group = group;
    this.#changed();
  }

  #changed() {
    this.#show();
    const query = new URLSearchParams();
    if (this.words) query.set('find', this.words);
    if (this.group !== 'all') query.set('state', this.group);
    history.replaceState(history.state, '', `#/buffers${query.size ? `?${query}` : ''}`);
    this.dispatchEvent(new Event('change'));
  }

  #show() {
    for (const [group, { chip }] of this.chips) set(chip, { 'aria-pressed': String(group === this.group) });
  }
}
