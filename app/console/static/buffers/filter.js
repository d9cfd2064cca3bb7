// Which of many shares are shown: by person or room, by state. The page's address remembers it.

import { h, set } from '../dom.js';
import { texts } from '../texts.js';
import { GROUPS } from './words.js';

const own = texts.buffers;
const FEW = 3;

export class Filter extends EventTarget {
  /** `query`: the URLSearchParams of the page. Tells `change`. */
  constructor(query) {
    super();
    this.words = query.get('find') ?? '';
    this.group = query.get('state') in GROUPS ? query.get('state') : 'all';
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
        const chip = h('button', { class: 'chip', onclick: () => this.#choose(group) }, own.groups[group], ' ', count);
        return [group, { chip, count }];
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

  fits(buffer) {
    const words = this.words.trim().toLocaleLowerCase();
    const has = (name) => name.toLocaleLowerCase().includes(words);
    const isFound = !words || has(buffer.identity) || has(buffer.room);
    return isFound && (this.group === 'all' || GROUPS[this.group].includes(buffer.state));
  }

  /** Counts the shares of each group. Where there are few, there is nothing to choose. */
  count(buffers) {
    if (buffers.length > FEW || this.words || this.group !== 'all') this.element.hidden = false;
    for (const [group, { count }] of this.chips) {
      const isIn = ({ state }) => group === 'all' || GROUPS[group].includes(state);
      const many = buffers.filter(isIn).length;
      if (count.textContent !== String(many)) count.textContent = many;
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
