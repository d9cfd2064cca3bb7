// timeline/capture_window.js: what a capture asks for, as the service takes it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { captureWindow, recorded } from '../../app/console/static/timeline/capture_window.js';
import { LEAST_MS } from '../../app/console/static/timeline/selection.js';

const NOON = Date.UTC(2026, 0, 31, 12);
const MOST = 600_000;
const MOST_ROLL = 60_000;

/** What is asked for, as ms from noon; there is media until noon. */
function asked({ from = -30_000, to = 0, open = false, most = MOST }, { behind = 2_000, roll = 0 } = {}) {
  const selection = { start: NOON + from, end: NOON + to, open, most };
  const { start, end, ...rest } = captureWindow(selection, {
    newest: NOON + 0.4, now: NOON + behind, roll, mostRoll: MOST_ROLL,
  });
  return { start: start - NOON, end: end - NOON, ...rest };
}

test('a selection is asked for as it is', () => {
  assert.deepEqual(asked({ from: -30_000, to: -10_000 }), { start: -30_000, end: -10_000, roll: 0, more: 0 });
});

test('what was typed comes on top, no less than nothing and no more than can be waited for', () => {
  assert.deepEqual(asked({}, { roll: 10_000 }), { start: -30_000, end: 0, roll: 10_000, more: 10_000 });
  assert.equal(asked({}, { roll: -5_000 }).more, 0);
  assert.deepEqual(asked({}, { roll: 3_600_000 }).more, MOST_ROLL);
});

test('an open one ends where the media does, and what has passed since is still to come', () => {
  assert.deepEqual(asked({ open: true }), { start: -30_000, end: 0, roll: 0, more: 2_000 });
  assert.equal(asked({ open: true }, { behind: 2_000, roll: 10_000 }).more, 12_000);
});

test('of an open one the end that was chosen does not count', () => {
  assert.equal(asked({ to: -20_000, open: true }).end, 0);
});

test('an end that the clocks put into the future asks for nothing that is to come', () => {
  assert.equal(asked({ open: true }, { behind: -5_000 }).more, 0);
});

test('however far behind the media is, no more is waited for than the service does', () => {
  assert.equal(asked({ open: true }, { behind: 3_600_000, roll: 10_000 }).more, MOST_ROLL);
});

test('what is longer than a clip may be with what is to come starts later', () => {
  const { start, end, more } = asked({ from: -MOST, to: 0 }, { roll: 10_000 });
  assert.equal(start, -MOST + 10_000);
  assert.equal(end + more - start, MOST);
  assert.equal(asked({ from: -MOST + 10_000, to: 0 }, { roll: 10_000 }).start, -MOST + 10_000, 'it just fits');
});

test('something of what is there is always asked for, where clips are shorter than what is to come', () => {
  const { start, end } = asked({ from: -30_000, most: 40_000 }, { roll: 60_000 });
  assert.equal(end - start, LEAST_MS);
});

test('it asks in whole milliseconds', () => {
  const found = Object.values(asked({ open: true }, { behind: 1_234.5 }));
  assert.ok(found.every(Number.isInteger), String(found));
});

test('of a window there is what the spans hold of it, gaps and what has expired left out', () => {
  const spans = [{ start: 0, end: 10_000 }, { start: 18_000, end: 40_000 }];
  assert.equal(recorded(spans, { start: 10_000, end: 40_000 }), 22_000);
  assert.equal(recorded(spans, { start: 20_000, end: 30_000 }), 10_000);
  assert.equal(recorded(spans, { start: 11_000, end: 15_000 }), 0);
});
