// admin/scale.js: round numbers for the axes of plots.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { roundInstants, roundValues } from '../../app/console/static/admin/scale.js';
import { near } from './near.js';

const HOUR = 3_600_000;

test('values begin at 0, reach the most, and are evenly apart by 1, 2 or 5 of a power of ten', () => {
  for (const most of [0.003, 0.7, 1, 3, 9.99, 10, 42, 999, 1e9, 5.7e11]) {
    const values = roundValues(most, 3);
    assert.equal(values[0], 0);
    assert.ok(values.at(-1) >= most * (1 - 1e-9), `${values} for ${most}`);
    assert.ok(values.at(-2) < most, `${values} goes too far for ${most}`);
    const step = values[1];
    values.forEach((value, place) => near(value, place * step, step * 1e-9));
    const digit = step / 10 ** Math.floor(Math.log10(step) + 1e-9);
    assert.ok([1, 2, 5, 10].some((each) => Math.abs(each - digit) < 1e-6), `a step of ${step}`);
  }
});

test('there are about as many values as asked for', () => {
  for (const most of [1, 7, 12, 99, 1234]) {
    const steps = roundValues(most, 3).length - 1;
    assert.ok(steps >= 1 && steps <= 4, `${steps} steps for ${most}`);
  }
});

test('a value that is on a step needs no further one, whatever floats make of it', () => {
  assert.deepEqual(roundValues(300, 3), [0, 100, 200, 300]);
  assert.equal(roundValues(0.3, 3).length, 4);
});

test('where all is 0, or nothing was measured, there is still an axis', () => {
  for (const most of [0, NaN]) {
    const values = roundValues(most, 3);
    assert.ok(values.length >= 2 && values.every(Number.isFinite), String(values));
    assert.ok(values.at(-1) > 0);
  }
});

test('instants are round, within what is shown, and no more than asked for', () => {
  const from = Date.UTC(2026, 0, 31, 11, 3, 7);
  for (const [length, count] of [[HOUR, 4], [HOUR, 7], [6 * HOUR, 5], [600_000, 3], [60_000, 2]]) {
    const found = roundInstants(from, from + length, count);
    assert.ok(found.length <= count + 1, `${found.length} for ${count}`);
    assert.ok(found.every((at) => at >= from && at <= from + length));
    assert.ok(found.every((at) => at % 60_000 === 0));
    const steps = new Set(found.slice(1).map((at, place) => at - found[place]));
    assert.ok(steps.size <= 1);
  }
});

test('both ends count, if they are round', () => {
  const noon = Date.UTC(2026, 0, 31, 12);
  const found = roundInstants(noon, noon + HOUR, 4);
  assert.deepEqual([found[0], found.at(-1)], [noon, noon + HOUR]);
});

test('in a time without length there is at most its instant', () => {
  const noon = Date.UTC(2026, 0, 31, 12);
  assert.deepEqual(roundInstants(noon, noon, 4), [noon]);
  assert.deepEqual(roundInstants(noon + 1, noon + 1, 4), []);
  assert.deepEqual(roundInstants(noon + 1, noon, 4), []);
});

test('of many days there are whole ones, as the clock of the viewer has them', () => {
  const found = roundInstants(0, 100 * 24 * HOUR, 2);
  assert.equal(found[1] - found[0], 50 * 24 * HOUR);
  const [midnight, next] = roundInstants(Date.UTC(2026, 0, 31, 5), Date.UTC(2026, 1, 7, 5), 7, 2 * HOUR);
  assert.equal(midnight, Date.UTC(2026, 0, 31, 22));
  assert.equal(next - midnight, 24 * HOUR);
});
