// Events on their way to the app, and those that nobody took.

import { fill, h } from '../dom.js';
import { tell, tellProblem } from '../telling.js';
import { fromNow, time } from '../times.js';
import { called, texts } from '../texts.js';
import { Listing } from '../lists/listing.js';

/**
 * @import { EventInFull, EventView } from '../../types.js'
 * @import { Page } from '../main.js'
 * @typedef {Pick<EventInFull, 'attempts' | 'last_error' | 'targets'>} Standing
 */

const own = texts.admin.deliveries;
const LOOK_MS = 500;
const PATIENCE_MS = 20_000;

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

  const outcome = h('div', { role: 'status' });
  const leaving = new AbortController();

  /** Sends a test event to every target, and shows how each took it. */
  async function ping() {
    const { signal } = leaving;
    button.disabled = true;
    fill(outcome, h('p', { class: 'hint' }, own.pinging));
    try {
      /** @type {EventInFull} */
      let sent = await api.post('/events/ping');
      for (const until = Date.now() + PATIENCE_MS; !wasTried(sent) && Date.now() < until; ) {
        await new Promise((resolve) => void setTimeout(resolve, LOOK_MS));
        sent = await api.get(`/events/${encodeURIComponent(sent.id)}`, {}, { signal });
      }
      fill(outcome, targetsOf(sent), sent.state === 'pending' && h('p', { class: 'hint' }, own.pinged));
    } catch (error) {
      fill(outcome);
      if (!signal.aborted) tellProblem(error);
    } finally {
      button.disabled = false;
    }
  }

  const button = h('button', { onclick: () => void ping() }, own.ping);
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
    h('div', { class: 'row' }, button),
    outcome,
    states,
    listing.element,
  );
  return { element, close: () => (leaving.abort(), listing.close()) };
}

/** Whether each target was asked once at least. @param {Standing} item */
const wasTried = ({ targets }) => targets.every(({ attempts }) => attempts);

/** How an event stands at each of its targets. @param {Standing} item */
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
