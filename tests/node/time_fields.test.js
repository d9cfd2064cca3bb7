// timeline/time_fields.js: times of day that are typed, read as the instant that was meant.

import assert from 'node:assert/strict';
import { test } from 'node:test';

process.env.TZ = 'Europe/Berlin';
const { read, written } = await import('../../app/console/static/timeline/time_fields.js');

const NOON = Date.parse('2026-01-31T12:00:00+01:00');
const told = (instant) => (instant === null ? null : new Date(instant).toISOString());

test('what is written is cut to the tenth, with both halves of the day as the viewer has them', () => {
  assert.equal(written(Date.parse('2026-01-31T14:03:07.590+01:00')), '2:03:07.5 PM');
  assert.equal(written(Date.parse('2026-01-31T00:00:00+01:00')), '12:00:00.0 AM');
  assert.equal(written(Date.parse('2026-01-31T12:00:00+01:00')), '12:00:00.0 PM');
});

test('what is written is read as the same tenth', () => {
  for (let minutes = 0; minutes < 24 * 60; minutes += 7) {
    const instant = NOON + minutes * 60_000 + 12_345;
    assert.equal(read(written(instant), instant), Math.floor(instant / 100) * 100, written(instant));
  }
});

test('times of day are read with full stops and colons, with and without a fraction', () => {
  for (const [typed, instant] of [
    ['12:03:07', '2026-01-31T11:03:07.000Z'],
    ['12.03.07', '2026-01-31T11:03:07.000Z'],
    ['  9:03:07 ', '2026-01-31T08:03:07.000Z'],
    ['12:03:07.5', '2026-01-31T11:03:07.500Z'],
    ['12:03:07,25', '2026-01-31T11:03:07.250Z'],
    ['12:03:07.058', '2026-01-31T11:03:07.058Z'],
  ])
    assert.equal(told(read(typed, NOON)), instant, typed);
});

test('halves of the day are read however they are written', () => {
  for (const typed of ['1:00:00 pm', '1:00:00 PM', '1:00:00pm', '1:00:00 p.m.'])
    assert.equal(told(read(typed, NOON)), '2026-01-31T12:00:00.000Z', typed);
  assert.equal(told(read('12:00:00 am', NOON)), '2026-01-30T23:00:00.000Z');
  assert.equal(told(read('12:00:00 pm', NOON)), '2026-01-31T11:00:00.000Z');
});

test('what is no time of day is none', () => {
  for (const typed of [
    '', 'now', '12', '12:03', '24:00:00', '12:60:00', '12:00:60', '13:00:00 pm', '0:00:00 am', '-1:00:00',
    '12:00:00 xm', '12:00:00.1234', '12:00:00x',
  ])
    assert.equal(read(typed, NOON), null, typed);
});

test('around midnight it is the day that brings it nearest', () => {
  const late = Date.parse('2026-01-31T23:59:50+01:00');
  assert.equal(told(read('00:00:05', late)), '2026-01-31T23:00:05.000Z');
  const early = Date.parse('2026-02-01T00:00:05+01:00');
  assert.equal(told(read('23:59:50', early)), '2026-01-31T22:59:50.000Z');
});

test('where the clock is put on it is read as that clock has it', () => {
  const after = Date.parse('2026-03-29T03:10:00+02:00');
  assert.equal(told(read('01:50:00', after)), '2026-03-29T00:50:00.000Z');
  assert.equal(told(read('03:05:00', after)), '2026-03-29T01:05:00.000Z');
});
