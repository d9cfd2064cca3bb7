// Events on their way to the app, and those that nobody took.

import { h } from '../dom.js';
import { tell, tellProblem } from '../telling.js';
import { fromNow, time } from '../times.js';
import { texts } from '../texts.js';
import { Listing } from './listing.js';

const own = texts.admin.deliveries;

export async function open({ api, query }) {
  const state = query.get('state') === 'pending' ? 'pending' : 'dead';
  const listing = new Listing({
    name: own.title,
    columns: own.columns,
    empty: own.nothing[state],
    ask: (next, signal) => api.get('/events', { state, next }, { signal }),
    key: (item) => item.id,
    cells: (item) => [
      own.events[item.event] ?? item.event,
      item.room,
      time(item.created_at),
      String(item.attempts),
      h('span', { class: 'error' }, item.last_error || '–'),
      state === 'dead'
        ? h(
            'button',
            {
              'aria-label': own.againOf(own.events[item.event] ?? item.event, item.room),
              onclick: () => void again(item),
            },
            own.again,
          )
        : h('span', { class: 'hint' }, own.nextTry(fromNow(item.next_try_at))),
    ],
  });

  async function again(item) {
    try {
      await api.post(`/events/${encodeURIComponent(item.id)}/send`);
      listing.drop(item.id);
      tell(own.sent);
    } catch (error) {
      tellProblem(error);
    }
  }

  const link = (each) =>
    h(
      'a',
      {
        class: 'button',
        href: `#/admin/deliveries?state=${each}`,
        'aria-current': each === state ? 'true' : null,
      },
      own.states[each],
    );
  const states = h('nav', { class: 'row states', 'aria-label': own.which }, ['dead', 'pending'].map(link));
  await listing.load();
  const element = h(
    'section',
    {},
    h('h1', {}, own.title),
    h('p', { class: 'note' }, own.explain[state]),
    states,
    listing.element,
  );
  return { element, close: () => listing.close() };
}
