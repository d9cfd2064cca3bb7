// timeline/axis.js: which part of the wall clock is shown, and who may move it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Axis } from '../../app/console/static/timeline/axis.js';
import { near } from './near.js';

const NOON = Date.UTC(2026, 0, 31, 12);
const MARGIN = 0.02;

/** A buffer that goes on: its times can be set. */
function buffer({ seconds = 120, marked = 0, newest = NOON } = {}) {
  const recent = newest - seconds * 1000;
  return { oldest: recent - marked * 1000, recent, newest };
}

function axisOf(extent) {
  const axis = new Axis(() => extent);
  const told = [];
  axis.addEventListener('change', () => told.push([axis.from, axis.to]));
  return { axis, told };
}

test('at first it shows all that is recent, with a margin beyond the newest moment', () => {
  const { axis } = axisOf(buffer({ seconds: 120 }));
  near(axis.from, NOON - 120_000);
  near((axis.to - NOON) / axis.length, MARGIN, 1e-6);
});

test('of a buffer that has hardly begun it shows half a minute, so that little does not look like much', () => {
  const { axis } = axisOf(buffer({ seconds: 1 }));
  near(axis.length * (1 - MARGIN), 30_000);
});

test('of a clip it shows all and nothing more, with ticks from its beginning', () => {
  const axis = new Axis(() => ({ oldest: 0, recent: 0, newest: 7_300 }), { least: 0, margin: 0, zero: 0 });
  assert.deepEqual([axis.from, axis.to], [0, 7_300]);
  assert.deepEqual(axis.ticks(4), [0, 2_000, 4_000, 6_000]);
});

test('what was marked long before is not shown at first', () => {
  const { axis } = axisOf(buffer({ seconds: 60, marked: 3600 }));
  near(axis.from, NOON - 60_000);
});

test('place and instant are each other’s inverse, also beyond the edges', () => {
  const { axis } = axisOf(buffer());
  for (const place of [-0.5, 0, 0.25, 1, 1.5]) near(axis.place(axis.instant(place)), place, 1e-6);
  near(axis.place(axis.from), 0);
  near(axis.place(axis.to), 1);
});

test('it shows both of its edges, and nothing beyond them', () => {
  const { axis } = axisOf(buffer());
  assert.ok(axis.shows(axis.from) && axis.shows(axis.to));
  assert.ok(!axis.shows(axis.from - 1) && !axis.shows(axis.to + 1));
});

test('it follows the newest moment: all that is recent, or as long a part of it as was chosen', () => {
  const extent = buffer();
  const { axis } = axisOf(extent);
  extent.newest += 10_000;
  axis.keepUp();
  near(axis.from, extent.recent);
  axis.zoom(0.25, axis.to);
  const { length } = axis;
  extent.newest += 10_000;
  axis.keepUp();
  near(axis.length, length);
  near((axis.to - extent.newest) / length, MARGIN, 1e-6);
});

test('nothing moves while somebody holds it; let go of, it catches up', () => {
  const extent = buffer();
  const { axis, told } = axisOf(extent);
  axis.hold(true);
  const { from } = axis;
  extent.newest += 60_000;
  axis.keepUp();
  assert.equal(axis.from, from);
  assert.deepEqual(told, []);
  axis.hold(false);
  near(axis.to - MARGIN * axis.length, extent.newest);
  assert.equal(told.length, 1);
});

test('not following, it stays where it is; following again, it goes to the newest moment', () => {
  const extent = buffer();
  const { axis } = axisOf(extent);
  axis.follow(false);
  const { from, to } = axis;
  extent.newest += 60_000;
  axis.keepUp();
  assert.deepEqual([axis.from, axis.to], [from, to]);
  axis.follow(true);
  near(axis.to - MARGIN * axis.length, extent.newest);
});

test('zooming keeps the instant under the pointer where it is', () => {
  const { axis } = axisOf(buffer({ seconds: 600 }));
  const around = axis.instant(0.3);
  axis.zoom(0.5, around);
  near(axis.place(around), 0.3, 1e-6);
  axis.zoom(0.5);
  near(axis.place((axis.from + axis.to) / 2), 0.5, 1e-6);
});

test('it can be zoomed in to four seconds, and out to all there is, marked stretches included', () => {
  const extent = buffer({ seconds: 600, marked: 3600 });
  const { axis } = axisOf(extent);
  axis.zoom(1e-6, NOON - 300_000);
  assert.equal(axis.length, 4_000);
  axis.zoom(1e6, NOON);
  near(axis.from, extent.oldest);
  near(axis.to - NOON, MARGIN * ((NOON - extent.recent) / (1 - MARGIN)));
});

test('panning ends at the edges of what is there, and keeps the length', () => {
  const extent = buffer({ seconds: 600 });
  const { axis } = axisOf(extent);
  axis.zoom(0.1, NOON - 300_000);
  const { length } = axis;
  axis.pan(-100);
  near(axis.from, extent.oldest);
  near(axis.length, length);
  axis.pan(100);
  assert.ok(axis.to > extent.newest);
  near(axis.length, length);
});

test('a part is shown with some room on both sides, and never less than four seconds', () => {
  const { axis } = axisOf(buffer({ seconds: 600 }));
  axis.showPart(NOON - 300_000, NOON - 200_000);
  near(axis.from, NOON - 315_000);
  near(axis.to, NOON - 185_000);
  axis.showPart(NOON - 300_000, NOON - 300_000);
  near(axis.length, 4_000);
  near((axis.from + axis.to) / 2, NOON - 300_000);
});

test('revealing what is in sight moves nothing; else it comes in, with room around it', () => {
  const { axis, told } = axisOf(buffer({ seconds: 600 }));
  axis.zoom(0.1, NOON - 300_000);
  const before = told.length;
  axis.reveal(axis.instant(0.5));
  assert.equal(told.length, before);
  for (const instant of [NOON - 500_000, NOON - 10_000]) {
    axis.reveal(instant);
    assert.ok(axis.shows(instant));
    assert.ok(axis.place(instant) > 0.05 && axis.place(instant) < 0.95);
  }
});

test('after all was shown again it grows with the buffer', () => {
  const extent = buffer({ seconds: 600 });
  const { axis } = axisOf(extent);
  axis.zoom(0.1, NOON);
  axis.showAll();
  near(axis.from, extent.recent);
  extent.newest += 60_000;
  axis.keepUp();
  near(axis.from, extent.recent);
});

test('it tells of changes, and of nothing that is as it was', () => {
  const { axis, told } = axisOf(buffer());
  axis.keepUp();
  axis.showAll();
  assert.deepEqual(told, []);
  axis.zoom(0.5);
  assert.equal(told.length, 1);
});

test('ticks lie round stretches before the newest moment, about as many as asked for', () => {
  const { axis } = axisOf(buffer({ seconds: 600 }));
  for (const count of [2, 7, 12]) {
    const ticks = axis.ticks(count);
    assert.ok(ticks.length >= 1 && ticks.length <= count + 1, `${ticks.length} for ${count}`);
    assert.ok(ticks.every((at) => axis.shows(at)));
    const step = ticks[1] - ticks[0];
    assert.ok(ticks.every((at) => (NOON - at) % step === 0));
    assert.equal(ticks.at(-1), NOON);
  }
});

test('however long the time and small the place, there are no steps above ten minutes', () => {
  const { axis } = axisOf(buffer({ seconds: 24 * 3600 }));
  const ticks = axis.ticks(2);
  assert.equal(ticks[1] - ticks[0], 600_000);
});

test('ticks stand while somebody holds the timeline, though there is more by then', () => {
  const extent = buffer({ seconds: 600 });
  const { axis } = axisOf(extent);
  const before = axis.ticks(7);
  axis.hold(true);
  extent.newest += 3_000;
  axis.keepUp();
  assert.deepEqual(axis.ticks(7), before);
  axis.hold(false);
  assert.equal(axis.ticks(7).at(-1), NOON + 3_000);
});
