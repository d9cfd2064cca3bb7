// timeline/selection.js: the part that is chosen never leaves what is there, nor what a clip may be.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LEAST_MS, Selection } from '../../app/console/static/timeline/selection.js';

const NOON = Date.UTC(2026, 0, 31, 12);
const MOST = 120_000;

function selectionOf({ seconds = 600, most = MOST } = {}) {
  const extent = { oldest: NOON - seconds * 1000, newest: NOON };
  const selection = new Selection(() => extent, most);
  const told = [];
  selection.addEventListener('change', () => told.push([selection.start, selection.end]));
  return { selection, extent, told };
}

const ends = ({ start, end }) => [start - NOON, end - NOON];

test('at first it is the newest half minute, and nobody has made it', () => {
  const { selection } = selectionOf();
  assert.deepEqual(ends(selection), [-30_000, 0]);
  assert.equal(selection.length, 30_000);
  assert.equal(selection.made, false);
});

test('at first it is all of a buffer that is shorter, and no more than a clip may be', () => {
  assert.deepEqual(ends(selectionOf({ seconds: 7 }).selection), [-7_000, 0]);
  assert.deepEqual(ends(selectionOf({ most: 10_000 }).selection), [-10_000, 0]);
});

test('what is chosen beyond what is there is cut to it', () => {
  const { selection } = selectionOf({ seconds: 60 });
  selection.choose(NOON - 3_600_000, NOON + 3_600_000);
  assert.deepEqual(ends(selection), [-60_000, 0]);
  assert.equal(selection.made, true);
});

test('of what is longer than a clip may be the newest part is chosen', () => {
  const { selection } = selectionOf();
  selection.choose(NOON - 500_000, NOON - 100_000);
  assert.deepEqual(ends(selection), [-100_000 - MOST, -100_000]);
});

test('it is never shorter than the least that there can be, also at the very beginning', () => {
  const { selection, extent } = selectionOf();
  selection.choose(NOON - 50_000, NOON - 50_000);
  assert.equal(selection.length, LEAST_MS);
  selection.choose(extent.oldest - 5_000, extent.oldest - 4_000);
  assert.deepEqual([selection.start, selection.end], [extent.oldest, extent.oldest + LEAST_MS]);
});

test('what is chosen backwards is the least there can be before its end', () => {
  const { selection } = selectionOf();
  selection.choose(NOON - 10_000, NOON - 20_000);
  assert.deepEqual(ends(selection), [-20_000 - LEAST_MS, -20_000]);
});

test('instants are whole milliseconds', () => {
  const { selection } = selectionOf();
  selection.choose(NOON - 20_000.4, NOON - 9_999.6);
  assert.deepEqual(ends(selection), [-20_000, -10_000]);
});

test('a start that is moved gives no more than the longest, no less than the least', () => {
  const { selection } = selectionOf();
  selection.moveStart(NOON - 3_600_000);
  assert.deepEqual(ends(selection), [-MOST, 0]);
  selection.moveStart(NOON + 5_000);
  assert.deepEqual(ends(selection), [-LEAST_MS, 0]);
  assert.equal(selection.moved, 'start');
});

test('an end that is moved gives no more than the longest, no less than the least, nothing to come', () => {
  const { selection } = selectionOf();
  selection.choose(NOON - 500_000, NOON - 490_000);
  selection.moveEnd(NOON);
  assert.deepEqual(ends(selection), [-500_000, -500_000 + MOST]);
  selection.moveEnd(NOON - 600_000);
  assert.deepEqual(ends(selection), [-500_000, -500_000 + LEAST_MS]);
  selection.choose(NOON - 20_000, NOON - 10_000);
  selection.moveEnd(NOON + 60_000);
  assert.deepEqual(ends(selection), [-20_000, 0]);
  assert.equal(selection.moved, 'end');
});

test('all of it moves as far as there is something, and keeps its length', () => {
  const { selection, extent } = selectionOf();
  selection.moveTo(NOON - 100_000);
  assert.deepEqual(ends(selection), [-100_000, -70_000]);
  selection.moveTo(NOON + 100_000);
  assert.deepEqual(ends(selection), [-30_000, 0]);
  selection.moveTo(0);
  assert.deepEqual([selection.start, selection.length], [extent.oldest, 30_000]);
  assert.equal(selection.moved, null);
});

test('what was chosen stays chosen while it is cleaned up, and can still be shortened', () => {
  const { selection, extent } = selectionOf();
  selection.choose(NOON - 600_000, NOON - 590_000);
  extent.oldest = NOON - 595_000;
  assert.deepEqual(ends(selection), [-600_000, -590_000]);
  selection.moveStart(NOON - 599_000);
  assert.deepEqual(ends(selection), [-599_000, -590_000]);
  selection.moveStart(NOON - 700_000);
  assert.deepEqual(ends(selection), [-599_000, -590_000], 'not further back than it was');
});

test('it reaches to the moment of the capture only until its end is moved, or it is moved', () => {
  const { selection } = selectionOf();
  const open = () => selection.choose(NOON - 30_000, NOON, { open: true });
  open();
  assert.equal(selection.open, true);
  selection.moveStart(NOON - 20_000);
  assert.equal(selection.open, true);
  selection.moveEnd(NOON - 5_000);
  assert.equal(selection.open, false);
  open();
  selection.moveTo(NOON - 60_000);
  assert.equal(selection.open, false);
});

test('it tells of what has changed, and of nothing else', () => {
  const { selection, told } = selectionOf();
  selection.choose(NOON - 30_000, NOON);
  assert.deepEqual(told, []);
  assert.equal(selection.made, true, 'the same as it was, but chosen');
  selection.choose(NOON - 30_000, NOON, { open: true });
  selection.moveStart(NOON - 10_000);
  selection.moveStart(NOON - 10_000);
  assert.equal(told.length, 2);
});
