// The screens of one room: at most four of them played in step, the others as pictures to swap in.

import { Problem } from '../api.js';
import { h } from '../dom.js';
import { icon } from '../icons.js';
import { texts } from '../texts.js';
import { listenToKeys } from '../timeline/keys.js';
import { canWatch } from '../watching/live_film.js';
import { isSeen } from '../watching/seen.js';
import { bar } from './bar.js';
import { momentForm } from './moment.js';
import { othersOf } from './others.js';
import { Screen } from './screen.js';
import { StepClock, chosenOf, isWatchable, newestTogether, shownOf, windowOf } from './step.js';

/**
 * @import { BufferTimeline, RoomTimeline } from '../../types.js'
 * @import { Page } from '../main.js'
 * @typedef {(sid?: string) => Promise<RoomTimeline>} Read a name may come again, for another room
 */

const t = texts.together;
const AT_MOST = 4; // a browser opens six connections to a server, and each film takes one
const TICK_MS = 50;
const LOOK_MS = 3_000;

/**
 * The screens of a room as it was `told`; `anew` shows them up to the newest moment. `chosen` are the
 * ids of those that somebody chose before.
 *
 * @param {Page} page
 * @param {RoomTimeline} told
 * @param {{read: Read, chosen: string[], anew: () => void}} options
 */
export function stage({ session, live }, told, { read, chosen, anew }) {
  const { api } = session;
  const shares = chosenOf(told.items, chosen) ?? shownOf(told.items, AT_MOST);
  let wanted = chosen; // the ids of those that somebody chose
  const most = session.facts.limits.max_capture_seconds * 1000;
  const window = windowOf(shares.map(extent), most);
  const head = h(
    'header',
    { class: 'row head' },
    h('a', { class: 'back', href: '#/buffers' }, icon('back'), texts.timeline.back),
    h('h1', {}, t.pageTitle(told.room)),
    h('button', { type: 'button', onclick: anew }, icon('next'), texts.timeline.track.toNewest),
  );
  const unseen = told.items.filter((item) => !isWatchable(item)).map((item) => item.sharer);
  const notes = [
    unseen.length > 0 && h('p', { class: 'note' }, t.unseen([...new Set(unseen)].join(', '))),
    !told.complete && h('p', { class: 'note' }, t.notAll),
  ];
  if (!window) {
    const element = h('div', {}, head, h('p', { class: 'empty' }, t.empty), notes);
    return { element, chosen: () => wanted, close: () => {} };
  }

  const ending = new AbortController();
  const { signal } = ending;
  const clock = new StepClock(window.start, window.end, newestTogether(shares.map(extent), window));
  const screens = shares.map(made);
  for (const screen of screens) screen.look();
  let order = screens.map(({ id }) => id); // who is shown longest comes first
  const others = othersOf(api, swap);
  const form = momentForm(api, told, clock);
  const controls = bar(clock, screens);
  const follow = h(
    'button',
    { type: 'button', class: 'follow', onclick: () => (clock.following ? clock.toggle() : watch()) },
    h('span', { class: 'dot', 'aria-hidden': 'true' }),
    texts.watching.watch,
  );
  let items = told.items;
  drawOthers();

  let last = Date.now();
  let goes = false;
  let watching = false; // whether the screens play what comes
  const tick = () => {
    const now = Date.now();
    if (watching && !clock.following) lookBack();
    if (watching) grow();
    const goesOn = !watching || seen(); // what nobody sees is not fetched
    const ready = goesOn && screens.map((screen) => screen.follow(clock.instant, goes, clock.pace)).every(Boolean);
    goes = goesOn && clock.pass(Math.max(0, now - last), ready);
    if (!goesOn) for (const { video } of screens) video.pause();
    last = now;
    controls.show(form.window());
  };
  const timer = setInterval(tick, TICK_MS);

  // What is deleted meanwhile, or not the viewer's any more, is shown no longer.
  /** @type {number | undefined} */
  let looking;
  const look = () => {
    looking ??= setTimeout(async () => {
      looking = undefined;
      try {
        ({ items } = await read(told.room_sid));
        for (const screen of screens) screen.take(items.find(({ id }) => id === screen.id) ?? null);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof Problem)) throw error;
        if (error.status === 404) for (const screen of screens) screen.take(null);
      }
      if (clock.following && !goOn().length) clock.toggle();
      drawOthers();
      drawFollow();
      controls.drawLanes();
    }, LOOK_MS);
  };
  live.addEventListener('change', look, { signal });

  const move = (/** @type {number} */ by) => (/** @type {KeyboardEvent} */ event) =>
    clock.seek(clock.instant + by * (event.shiftKey ? 10 : 1));
  listenToKeys(
    {
      ' ': () => clock.toggle(),
      v: () => (clock.following ? clock.toggle() : watch()),
      ArrowLeft: move(-1_000),
      ArrowRight: move(1_000),
    },
    signal,
  );
  form.element.prepend(follow);
  drawFollow();
  const element = h(
    'div',
    {},
    head,
    h('div', { class: 'screens' }, screens.map((screen) => screen.element)),
    others.element,
    notes,
    h('div', { class: 'card deck' }, controls.element, form.element),
    form.result,
  );
  const close = () => {
    ending.abort();
    clearInterval(timer);
    clearTimeout(looking);
    form.close();
    for (const screen of screens) screen.close();
  };
  return { element, chosen: () => wanted, close };

  /** @param {BufferTimeline} share */
  function made(share) {
    const screen = new Screen(session, share, clock);
    screen.addEventListener('sound', () => {
      // Of several that are heard at once nothing is understood.
      if (!screen.video.muted) for (const other of screens) if (other !== screen) other.mute();
    });
    return screen;
  }

  /** Follows the newest moment that all have that go on. */
  function watch() {
    if (!canWatch || !goOn().length) return;
    watching = true;
    for (const screen of screens) screen.watch(live, seen);
    clock.follow();
    drawFollow();
  }

  /** Whether somebody sees one of them: then all go on, in step. */
  function seen() {
    return isSeen(...screens.map(({ video }) => video));
  }

  function lookBack() {
    watching = false;
    grow();
    for (const screen of screens) screen.look();
    controls.drawLanes();
    drawFollow();
  }

  function grow() {
    const extents = goOn().flatMap((screen) => screen.extent ?? []);
    const end = Math.max(clock.end, ...extents.map(({ newest }) => newest));
    const start = Math.max(clock.start, end - most);
    const longest = Math.max(...screens.map((screen) => screen.longest));
    const newest = extents.length ? newestTogether(extents, { start, end }) : clock.last;
    clock.grow({ start, end, last: newest, longest });
  }

  function goOn() {
    return screens.filter(({ told: share }) => !share.ended_at);
  }

  /** Shows a share in the place of the one that has been shown longest. @param {BufferTimeline} share */
  function swap(share) {
    const place = screens.findIndex(({ id }) => id === order[0]);
    const [before, screen] = [screens[place], made(share)];
    screens[place] = screen;
    order = [...order.slice(1), share.id];
    wanted = screens.map(({ id }) => id);
    before.element.replaceWith(screen.element);
    before.close();
    if (watching) screen.watch(live, seen);
    else {
      clock.start = Math.max(Math.min(clock.start, extent(share).oldest), clock.end - most);
      screen.look();
    }
    drawOthers();
    controls.drawLanes();
    screen.element.querySelector('a')?.focus({ preventScroll: true });
  }

  function drawOthers() {
    const rest = items.filter((item) => isWatchable(item) && !screens.some(({ id }) => id === item.id));
    const gives = screens.find(({ id }) => id === order[0]);
    others.show(screens.length < AT_MOST ? [] : rest, gives?.told.sharer ?? '');
  }

  function drawFollow() {
    follow.hidden = !canWatch || !goOn().length;
    follow.setAttribute('aria-pressed', String(watching));
  }
}

/** What is recent of a share. @param {BufferTimeline} share */
function extent({ oldest, newest }) {
  return { oldest: Date.parse(oldest ?? ''), newest: Date.parse(newest ?? '') };
}
