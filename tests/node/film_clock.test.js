// timeline/film_clock.js: which second of a film is which instant, where gaps are left out of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FilmClock } from '../../app/console/static/timeline/film_clock.js';

const NOON = Date.UTC(2026, 0, 31, 12);
const at = (seconds) => NOON + seconds * 1000;
const span = (start, end) => ({ start: at(start), end: at(end) });

// 10 s, a gap of 5 s, 10 s, a gap of 60 s, 10 s.
const SPANS = [span(0, 10), span(15, 25), span(85, 95)];

test('in one span, seconds of the film are seconds of the clock', () => {
  const clock = new FilmClock(SPANS, span(2, 8));
  assert.equal(clock.seconds, 6);
  assert.equal(clock.instant(0), at(2));
  assert.equal(clock.instant(3.5), at(5.5));
  assert.equal(clock.second(at(5.5)), 3.5);
});

test('gaps are left out', () => {
  const clock = new FilmClock(SPANS, span(0, 95));
  assert.equal(clock.seconds, 30);
  assert.equal(clock.instant(12), at(17));
  assert.equal(clock.instant(25), at(90));
  assert.equal(clock.second(at(17)), 12);
  assert.equal(clock.second(at(90)), 25);
});

test('an instant in a gap is the beginning of what comes next', () => {
  const clock = new FilmClock(SPANS, span(0, 95));
  assert.equal(clock.second(at(12)), 10);
  assert.equal(clock.second(at(50)), 20);
});

test('the film goes from one span to the next at the first picture of the second', () => {
  const clock = new FilmClock(SPANS, span(0, 95));
  assert.equal(clock.instant(10), at(15));
  assert.equal(clock.second(at(10)), 10, 'where a span ends, the next one begins');
});

test('outside of the film there are its ends', () => {
  const clock = new FilmClock(SPANS, span(2, 20));
  assert.equal(clock.instant(-5), at(2));
  assert.equal(clock.instant(1e6), at(20));
  assert.equal(clock.second(at(-100)), 0);
  assert.equal(clock.second(at(1000)), clock.seconds);
});

test('a window that begins or ends in a gap has a film of what there is', () => {
  const clock = new FilmClock(SPANS, span(12, 50));
  assert.deepEqual([clock.start, clock.end, clock.seconds], [at(15), at(25), 10]);
});

test('it covers from its first to its last picture, gaps in between included', () => {
  const clock = new FilmClock(SPANS, span(0, 90));
  for (const instant of [0, 12, 90]) assert.ok(clock.covers(at(instant)), String(instant));
  for (const instant of [-0.001, 90.001]) assert.ok(!clock.covers(at(instant)), String(instant));
});

test('what a span only touches is none of the film', () => {
  const clock = new FilmClock(SPANS, span(10, 15));
  assert.equal(clock.seconds, 0);
});

test('a film of nothing stands still at the beginning of its window', () => {
  for (const spans of [[], SPANS]) {
    const clock = new FilmClock(spans, span(200, 210));
    assert.deepEqual([clock.start, clock.end, clock.seconds], [at(200), at(210), 0]);
    assert.equal(clock.instant(3), at(200));
    assert.equal(clock.second(at(205)), 0);
  }
});

test('there and back again is the same instant, wherever there is a picture', () => {
  const clock = new FilmClock(SPANS, span(3, 93));
  for (let second = 0; second < clock.seconds; second += 0.25)
    assert.equal(clock.second(clock.instant(second)), second);
});
