// Events on their way to the app, and those that nobody took.

import { h } from '../dom.js';
import { tell, tellProblem } from '../telling.js';
import { fromNow, time } from '../times.js';
import { called, texts } from '../texts.js';
import { Listing } from '../lists/listing.js';

/**
 * @import { EventView } from '../../types.js'
 * @import { Page } from '../main.js'
 */

const own = texts.admin.deliveries;

/** @param {Page} page */
export async function open({ session, api, query }) {
  const state = query.get('state') === 'pending' ? 'pending' : 'dead';
  const nameOf = (/** @type {EventView} */ { event }) => called(own.events, event) ?? event;
  /** @type {Listing<EventView>} */
  const listing = new Listing({
    name: own.title,
    columns: own.columns,
    empty: own.nothing[state],
    file: 'webhooks',
    ask: (place, signal) => api.get('/events', { state, ...place }, { signal }),
    key: (item) => item.id,
    cells: (item) => [
      nameOf(item),
      item.room,
      time(item.created_at),
      targetsOf(item),
      state === 'dead'
        ? h(
            'button',
            {
              'aria-label': own.againOf(nameOf(item), item.room),
              onclick: () => void again(item),
            },
            own.again,
          )
        : h('span', { class: 'hint' }, own.nextTry(fromNow(item.next_try_at))),
    ],
  });

  /** @param {EventView} item */
  async function again(item) {
    try {
      await api.post(`/events/${encodeURIComponent(item.id)}/send`);
      listing.drop(item.id);
      tell(own.sent);
    } catch (error) {
      tellProblem(error);
    }
  }

  const link = (/** @type {'dead' | 'pending'} */ each) =>
    h(
      'a',
      {
        class: 'button',
        href: `#/admin/deliveries?state=${each}`,
        'aria-current': each === state ? 'true' : null,
      },
      own.states[each],
    );
  const links = [link('dead'), link('pending')];
  const states = h('nav', { class: 'row states', 'aria-label': own.which }, links);
  await listing.load();
  const element = h(
    'section',
    {},
    h('h1', {}, own.title),
    !session.facts.limits.events && h('p', { class: 'card notice' }, own.none, ' ', h('a', { href: 'docs' }, own.reference)),
    h('p', { class: 'note' }, own.explain[state]),
    states,
    listing.element,
  );
  return { element, close: () => listing.close() };
}

/** How an event stands at each of its targets. @param {EventView} item */
function targetsOf(item) {
  if (!item.targets.length) return [own.attempts(item.attempts), h('span', { class: 'error' }, ` ${item.last_error}`)];
  return h(
    'ul',
    { class: 'data' },
    item.targets.map(({ target, state, attempts, last_error: error }) =>
      h(
        'li',
        {},
        h('strong', {}, target),
        ` ${called(own.targetStates, state) ?? state}, ${own.attempts(attempts)}`,
        error && h('span', { class: 'error' }, `: ${error}`),
      ),
    ),
  );
}
