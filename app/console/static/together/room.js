// #/rooms/{room}: all screens of a room, played in step, and captured together.

import { Problem } from '../api.js';
import { pathName } from '../admin/names.js';
import { fill, h } from '../dom.js';
import { icon } from '../icons.js';
import { tellProblem } from '../telling.js';
import { texts } from '../texts.js';
import { listenToKeys } from '../timeline/keys.js';
import { bar } from './bar.js';
import { momentForm } from './moment.js';
import { Screen } from './screen.js';
import { StepClock, newestTogether, shownOf, windowOf } from './step.js';

/**
 * @import { BufferTimeline, RoomTimeline } from '../../types.js'
 * @import { Page, View } from '../main.js'
 * @typedef {(sid?: string) => Promise<RoomTimeline>} Read a name may come again, for another room
 */

const t = texts.together;
const AT_MOST = 4; // a browser opens six connections to a server, and each film takes one
const TICK_MS = 50;
const LOOK_MS = 3_000;

/**
 * @param {Page} page
 * @returns {Promise<View>}
 */
export async function open(page) {
  const { api, params } = page;
  const path = `/rooms/${pathName(params.room)}/timeline`;
  const place = h('div', { class: 'together' });
  const ending = new AbortController();
  /** @type {ReturnType<typeof stage> | null} */
  let shown = null;
  /** @type {Read} */
  const read = (sid) => api.get(path, { room_sid: sid }, { signal: ending.signal });
  const show = async () => {
    const told = await read();
    if (ending.signal.aborted) return;
    shown?.close();
    shown = stage(page, told, read, () => void show().catch(lost).catch(tellProblem));
    fill(place, shown.element);
  };
  const lost = (/** @type {unknown} */ error) => {
    if (ending.signal.aborted) return;
    if (!(error instanceof Problem) || error.status !== 404) throw error;
    shown?.close();
    shown = null;
    fill(place, notThere());
  };
  await show().catch(lost);
  const close = () => (ending.abort(), shown?.close());
  return { title: t.pageTitle(params.room), element: place, keys: t.keys, close };
}

function notThere() {
  return h(
    'div',
    { class: 'empty' },
    h('h1', {}, t.notThere),
    h('a', { class: 'button', href: '#/buffers' }, texts.timeline.notThere.back),
  );
}

/**
 * The screens of a room as it was `told`; `anew` shows them up to the newest moment.
 *
 * @param {Page} page
 * @param {RoomTimeline} told
 * @param {Read} read
 * @param {() => void} anew
 */
function stage({ session, live }, told, read, anew) {
  const { api } = session;
  const shares = shownOf(told.items, AT_MOST);
  const window = windowOf(shares.map(extent), session.facts.limits.max_capture_seconds * 1000);
  const head = h(
    'header',
    { class: 'row head' },
    h('a', { class: 'back', href: '#/buffers' }, icon('back'), texts.timeline.back),
    h('h1', {}, t.pageTitle(told.room)),
    h('button', { type: 'button', onclick: anew }, icon('next'), texts.timeline.track.toNewest),
  );
  const others = told.items.filter((item) => !shares.includes(item)).map((item) => item.sharer);
  const unseen = [
    others.length > 0 && h('p', { class: 'note' }, t.unseen([...new Set(others)].join(', '))),
    !told.complete && h('p', { class: 'note' }, t.notAll),
  ];
  if (!window) {
    const element = h('div', {}, head, h('p', { class: 'empty' }, t.empty), unseen);
    return { element, close: () => {} };
  }

  const ending = new AbortController();
  const { signal } = ending;
  const clock = new StepClock(window.start, window.end, newestTogether(shares.map(extent), window));
  const screens = shares.map((share) => new Screen(session, share, window));
  for (const screen of screens) {
    screen.addEventListener('sound', () => {
      // Of several that are heard at once nothing is understood.
      if (!screen.video.muted) for (const other of screens) if (other !== screen) other.mute();
    });
  }
  const controls = bar(clock, screens);
  const form = momentForm(api, told, clock);

  let last = Date.now();
  let goes = false;
  const tick = () => {
    const now = Date.now();
    const ready = screens.map((screen) => screen.follow(clock.instant, goes, clock.rate)).every(Boolean);
    goes = clock.pass(Math.max(0, now - last), ready);
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
        const { items } = await read(told.room_sid);
        for (const screen of screens) screen.take(items.find(({ id }) => id === screen.id) ?? null);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof Problem)) throw error;
        if (error.status === 404) for (const screen of screens) screen.take(null);
      }
      controls.drawLanes();
    }, LOOK_MS);
  };
  live.addEventListener('change', look, { signal });

  const move = (/** @type {number} */ by) => (/** @type {KeyboardEvent} */ event) =>
    clock.seek(clock.instant + by * (event.shiftKey ? 10 : 1));
  listenToKeys(
    { ' ': () => clock.toggle(), ArrowLeft: move(-1_000), ArrowRight: move(1_000) },
    signal,
  );
  const element = h(
    'div',
    {},
    head,
    h('div', { class: 'screens' }, screens.map((screen) => screen.element)),
    unseen,
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
  return { element, close };
}

/** What is recent of a share. @param {BufferTimeline} share */
function extent({ oldest, newest }) {
  return { oldest: Date.parse(oldest ?? ''), newest: Date.parse(newest ?? '') };
}
