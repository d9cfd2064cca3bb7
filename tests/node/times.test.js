// times.js: instants and lengths in the viewer's words.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

process.env.TZ = 'Europe/Berlin'; // before the module makes its formats
const { before, bytes, clock, clockTenths, dayAndTime, fromNow, length, midnight, stretch, utc } = await import(
  '../../app/console/static/times.js'
);

const AT = '2026-07-01T10:03:07.580Z'; // 12:03:07 in Berlin

beforeEach(() => mock.timers.enable({ apis: ['Date'], now: Date.parse(AT) }));
afterEach(() => mock.timers.reset());

test('a time of day is the viewer’s zone’s, to the second, or cut to the tenth', () => {
  assert.match(clock(AT), /^12:03:07/);
  assert.match(clockTenths(AT), /^12:03:07\.5/);
});

test('instants may be texts, dates and milliseconds', () => {
  const [date, milliseconds] = [new Date(AT), Date.parse(AT)];
  for (const write of [clock, clockTenths, dayAndTime, utc]) {
    assert.equal(write(date), write(AT));
    assert.equal(write(milliseconds), write(AT));
  }
});

test('the day is the viewer’s, not that of UTC', () => {
  assert.match(dayAndTime('2026-06-30T22:30:00Z'), /Jul 1, 2026.*12:30:00/);
});

test('in UTC it is written whole', () => {
  assert.equal(utc(AT), '2026-07-01 10:03:07.580 UTC');
});

test('what is no instant is refused, rather than shown as something', () => {
  for (const write of [clock, clockTenths, dayAndTime, utc])
    assert.throws(() => write('yesterday'), RangeError);
});

test('how far from now it is, in the largest unit that it fills', () => {
  const from = (seconds) => fromNow(Date.parse(AT) + seconds * 1000);
  assert.equal(from(3 * 86_400 + 3600), 'in 3 days');
  assert.equal(from(-5 * 60 - 59), '5 minutes ago');
  assert.equal(from(3600), 'in 1 hour');
  assert.equal(from(59), 'in 59 seconds');
  assert.equal(from(-86_400), 'yesterday');
  assert.equal(from(0), 'now');
});

test('a length is written as clocks do', () => {
  for (const [seconds, written] of [
    [0, '0:00'], [7, '0:07'], [59.4, '0:59'], [59.5, '1:00'], [750, '12:30'], [3599.9, '1:00:00'],
    [3723, '1:02:03'], [36_000, '10:00:00'],
  ])
    assert.equal(length(seconds), written, String(seconds));
});

test('with tenths a length is cut, never more than it is', () => {
  for (const [seconds, written] of [
    [0, '0:00.0'], [0.05, '0:00.0'], [7.19, '0:07.1'], [59.99, '0:59.9'], [60, '1:00.0'],
    [3600.25, '1:00:00.2'],
  ])
    assert.equal(length(seconds, { tenths: true }), written, String(seconds));
});

test('a tenth that floats miss by a hair is still that tenth', () => {
  assert.equal(length(0.1 + 0.2, { tenths: true }), '0:00.3');
  assert.equal(length(0.7 + 0.1, { tenths: true }), '0:00.8'); // 0.7999999999999999
});

test('nothing is shorter than nothing', () => {
  assert.equal(length(-5), '0:00');
  assert.equal(length(-0.01, { tenths: true }), '0:00.0');
});

test('bytes are in the unit that fits, by thousands', () => {
  for (const [count, written] of [
    [0, '0 MB'], [1, '1 byte'], [999, '999 byte'], [1000, '1 kB'], [1_250_000, '1.3 MB'],
    [5e9, '5 GB'], [2.5e12, '2.5 TB'], [9e15, '9,000 TB'],
  ])
    assert.equal(bytes(count), written, String(count));
});

test('a day of a date field begins at midnight of the viewer’s zone', () => {
  assert.equal(midnight('2026-01-31'), '2026-01-30T23:00:00.000Z');
  assert.equal(midnight('2026-07-01'), '2026-06-30T22:00:00.000Z');
});

test('a day later is the next midnight, also where the clock is put on or back', () => {
  assert.equal(midnight('2026-01-31', 1), '2026-01-31T23:00:00.000Z');
  assert.equal(midnight('2026-03-29', 1), '2026-03-29T22:00:00.000Z', 'a day of 23 hours');
  assert.equal(midnight('2026-10-25', 1), '2026-10-25T23:00:00.000Z', 'a day of 25 hours');
  assert.equal(midnight('2026-12-31', 1), '2026-12-31T23:00:00.000Z', 'the next year');
});

test('what is no day has no midnight', () => {
  for (const day of [undefined, null, '', '2026', '2026-1-1', 'today', '2026-01-31T00:00'])
    assert.equal(midnight(day), undefined, String(day));
});

test('how far back is said as on the strip; tenths only where they are', () => {
  assert.equal(before(34), '-0:34');
  assert.equal(before(90.5), '-1:30.5');
  assert.equal(before(34.2, { tenths: false }), '-0:34');
});

test('a stretch is said in one unit', () => {
  assert.deepEqual([45, 1028, 7300].map(stretch), ['45 s', '17 min', '2 h']);
});
