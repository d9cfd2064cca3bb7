// #/buffers/{id}: one share's timeline; see it, trim it, keep it.

import { fill, h } from '../dom.js';
import { Problem } from '../api.js';
import { before, clockTenths } from '../times.js';
import { texts } from '../texts.js';
import { Axis } from './axis.js';
import { captureForm } from './capture_form.js';
import { captureJobs } from './capture_jobs.js';
import { controls } from './controls.js';
import { toggleFull, toggleInset } from './frame.js';
import { gapList } from './gap_list.js';
import { gestures } from './gestures.js';
import { heading } from './heading.js';
import { hoverCard } from './hover.js';
import { listenToKeys } from './keys.js';
import { markers } from './markers.js';
import { newer } from './newer.js';
import { Player } from './player.js';
import { presets } from './presets.js';
import { roughPicture } from './rough.js';
import { Selection } from './selection.js';
import { Sprites } from './sprites.js';
import { tail } from './tail.js';
import { timeFields } from './time_fields.js';
import { toolbar } from './toolbar.js';
import { Track } from './track.js';
import { WatchedBuffer } from './watched.js';
import { Waveform } from './waveform.js';
import { liveView } from '../watching/live_view.js';

/**
 * Everything of one share's page that its parts are made with.
 * @import { Api } from '../api.js'
 * @import { LiveBuffers } from '../live.js'
 * @import { Page, View } from '../main.js'
 * @import { Session } from '../session.js'
 * @import { Words } from './track.js'
 * @typedef {{session: Session, api: Api, buffer: WatchedBuffer, selection: Selection, axis: Axis,
 *   player: Player, sprites: Sprites, sound: Waveform, words: Words}} Desk
 */

const t = texts.timeline;

/**
 * @param {Page} page
 * @returns {Promise<View>}
 */
export async function open({ session, api, live, params, query }) {
  /** @type {WatchedBuffer} */
  let buffer;
  try {
    buffer = await WatchedBuffer.opened(api, live, params.id);
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return notThere();
    throw error;
  }
  const ending = new AbortController();
  const place = h('div', { class: 'buffer-page' });
  const head = heading({ session, api, buffer });
  /** @type {{element: Node, close: () => void} | null} */
  let shown = null;
  const show = () => {
    if (buffer.lost) return (shown?.close(), (shown = null), ending.abort(), fill(place, notThere().element));
    if (shown || buffer.empty) return;
    shown = desk({ session, api, buffer, live, atOnce: query.has('live') });
    fill(place, head, shown.element);
  };
  fill(place, head, h('p', { class: 'empty' }, t.empty));
  buffer.addEventListener('change', show, { signal: ending.signal });
  buffer.addEventListener('gone', show, { signal: ending.signal });
  show();
  const close = () => (ending.abort(), buffer.close(), shown?.close());
  return { title: t.pageTitle(buffer.told.sharer, buffer.told.room), element: place, keys: t.keys, close };
}

function notThere() {
  const element = h(
    'div',
    { class: 'empty' },
    h('h1', {}, t.notThere.title),
    h('p', {}, t.notThere.explain),
    h('a', { class: 'button', href: '#/buffers' }, t.notThere.back),
  );
  return { title: t.notThere.title, element };
}

/**
 * Everything that needs media: the player, the timeline, and what is done with it. `atOnce`: it begins
 * with the live picture.
 *
 * @param {{session: Session, api: Api, buffer: WatchedBuffer, live: LiveBuffers, atOnce: boolean}} page
 */
function desk({ session, api, buffer, live, atOnce }) {
  const ending = new AbortController();
  const { signal } = ending;
  const extent = () => buffer.extent;
  const selection = new Selection(extent, session.facts.limits.max_capture_seconds * 1000);
  const axis = new Axis(extent);
  const player = new Player(buffer, selection);
  const sprites = new Sprites(buffer, selection.most);
  const sound = new Waveform(buffer, selection.most);
  const words = {
    at: clockTenths,
    tick: (/** @type {number} */ at) => (at === axis.now ? t.track.now : before((axis.now - at) / 1000)),
    hover: (/** @type {number} */ at) =>
      `${before((buffer.extent.newest - at) / 1000, { tenths: false })} · ${clockTenths(at)}`,
  };
  const parts = { session, api, buffer, selection, axis, player, sprites, sound, words };
  const track = new Track(parts);
  const card = hoverCard(parts);
  gestures(track, parts, card.show);
  const chosen = presets(parts);
  const end = tail(parts);
  const marks = markers(parts);
  const jobs = captureJobs(parts);
  const choosing = [timeFields(parts), end.element];
  const form = captureForm(parts, choosing, (asked, answer) => jobs.add(answer.id, asked));
  roughPicture(parts);
  const played = controls(player);
  const watched = liveView(parts, live, played, (id) => jobs.made(id));

  axis.addEventListener('change', track.drawAll);
  sprites.addEventListener('change', track.drawAll);
  sound.addEventListener('change', track.drawAll);
  player.addEventListener('time', track.drawPlayhead);
  player.addEventListener('state', track.drawPlayhead);
  selection.addEventListener('change', () => {
    if (axis.following) axis.follow(false);
    track.drawSelection();
    track.drawPlayhead();
  });
  const gather = () => void Promise.all([sprites.keepUp(), sound.keepUp()]);
  const grow = () => {
    axis.keepUp();
    track.drawAll();
    gather();
  };
  buffer.addEventListener('change', grow, { signal });
  gather();
  listenToKeys(actions(parts, watched, marks, chosen), signal);

  const trimmer = h(
    'section',
    { class: 'card trimmer', 'aria-labelledby': 'timeline-title' },
    h('h2', { id: 'timeline-title', class: 'visually-hidden' }, t.title),
    player.element,
    played,
    watched.bar,
    h('div', { class: 'row between strip-head' }, chosen.element, toolbar(parts)),
    h('div', { class: 'stage-area' }, card.element, track.element, newer(parts)),
    gapList(parts),
  );
  const element = h(
    'div',
    { class: 'desk' },
    h('div', { class: 'column' }, trimmer, marks.element),
    h('div', { class: 'column' }, form, jobs.element),
  );
  const close = () => {
    ending.abort();
    for (const part of [watched, player, track, end, jobs]) part.close();
  };
  if (atOnce) watched.begin();
  return { element, close };
}

/**
 * What each key does.
 *
 * @param {Desk} desk
 * @param {ReturnType<typeof liveView>} watched
 * @param {{mark: (at: number | null) => Promise<void>}} marks
 * @param {{press: (number: number) => void}} chosen
 * @returns {Record<string, (event: KeyboardEvent) => void>}
 */
function actions({ selection, player, axis }, watched, marks, chosen) {
  const move = (/** @type {number} */ by) => (/** @type {KeyboardEvent} */ event) => {
    player.seek(watched.instant + by * (event.shiftKey ? 10 : 1));
    axis.reveal(player.instant);
  };
  // Of the live picture the first of these only stops it.
  const still = (/** @type {() => unknown} */ act) => () => void (watched.on ? watched.leave() : act());
  /** @type {Record<string, (event: KeyboardEvent) => void>} */
  const found = {
    ' ': still(() => player.toggle()),
    v: () => (watched.on ? watched.leave() : watched.begin()),
    k: () => void watched.clip(),
    i: () => selection.moveStart(watched.instant),
    o: () => selection.moveEnd(watched.instant),
    l: () => player.setLoop(!player.loop),
    m: () => void marks.mark(null),
    'Shift+m': () => void marks.mark(watched.instant),
    ',': still(() => player.step(-1)),
    '.': still(() => player.step(1)),
    f: () => toggleFull(player),
    p: () => toggleInset(watched),
    ArrowLeft: move(-1_000),
    ArrowRight: move(1_000),
  };
  for (const number of [1, 2, 3, 4, 5]) found[number] = () => chosen.press(number);
  return found;
}
