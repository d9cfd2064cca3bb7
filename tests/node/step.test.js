// together/step.js: how several films keep step with one clock.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  APART_MS,
  CLOSE_MS,
  PATIENCE_MS,
  StepClock,
  chosenOf,
  correction,
  newestTogether,
  shownOf,
  windowOf,
} from '../../app/console/static/together/step.js';

const IN_STEP_MS = 150;
const TICK_MS = 50;

test('a film in step is let be, at whatever speed', () => {
  for (const rate of [0.5, 1, 2]) {
    assert.deepEqual(correction(0, rate), { seek: false, rate });
    assert.deepEqual(correction(CLOSE_MS - 1, rate), { seek: false, rate });
  }
});

test('a film that is far off is sought', () => {
  for (const ahead of [APART_MS + 1, -APART_MS - 1, 1e6])
    assert.deepEqual(correction(ahead, 1), { seek: true, rate: 1 });
});

test('a film that is a little ahead goes slower, one that is behind faster', () => {
  assert.ok(correction(100, 1).rate < 1);
  assert.ok(correction(-100, 1).rate > 1);
  assert.ok(Math.abs(correction(240, 1).rate - 1) <= 0.2 + 1e-9, 'by a fifth at most');
});

test('from wherever it need not be sought a film is in step within a second', () => {
  for (const rate of [0.5, 1, 2])
    for (const begin of [APART_MS, -APART_MS]) {
      let ahead = begin;
      for (let passed = 0; passed < 1_000; passed += TICK_MS) {
        const { seek, rate: wanted } = correction(ahead, rate);
        assert.ok(!seek);
        ahead += (wanted - rate) * TICK_MS;
      }
      assert.ok(Math.abs(ahead) < IN_STEP_MS, `${ahead} ms at ${rate}`);
    }
});

test('the clock begins at its newest moment, plays what led there, and stops at its end', () => {
  const clock = new StepClock(0, 62_000, 60_000);
  assert.ok(!clock.pass(500, true), 'it does not go before it is started');
  assert.equal(clock.instant, 60_000);
  clock.toggle();
  assert.deepEqual([clock.instant, clock.playing], [30_000, true]);
  assert.ok(clock.pass(400, true));
  clock.rate = 2;
  clock.pass(100, true);
  assert.equal(clock.instant, 30_600);
  clock.toggle();
  clock.toggle();
  assert.equal(clock.instant, 30_600, 'elsewhere it goes on where it is');
  assert.ok(!clock.pass(100_000, true));
  assert.deepEqual([clock.instant, clock.playing], [62_000, false]);
  const short = new StepClock(1_000, 2_000);
  short.toggle();
  assert.equal(short.instant, 1_000);
});

test('it waits for a film that is not there, but not for ever', () => {
  const clock = new StepClock(0, 60_000);
  clock.seek(0);
  clock.toggle();
  for (let waited = TICK_MS; waited < PATIENCE_MS; waited += TICK_MS) assert.ok(!clock.pass(TICK_MS, false));
  assert.equal(clock.instant, 0);
  assert.ok(clock.pass(TICK_MS, false));
  assert.equal(clock.instant, TICK_MS);
  assert.ok(clock.pass(TICK_MS, true));
  assert.ok(!clock.pass(TICK_MS, false), 'and for the next one it waits again');
});

test('what is sought lies within the window', () => {
  const clock = new StepClock(1_000, 2_000);
  for (const [asked, found] of [[0, 1_000], [1_500, 1_500], [9_000, 2_000]]) {
    clock.seek(asked);
    assert.equal(clock.instant, found);
  }
});

test('of many shares those that go on are shown, then the newest, the oldest of them first', () => {
  const kept = { playlist_url: '/p', oldest: '2026-11-03T10:00:00Z', newest: '2026-11-03T10:01:00Z' };
  const shares = ['f', 'e', 'd', 'c', 'b', 'a'].map((id) => ({ ...kept, id, state: 'recording' }));
  const ids = (given, most = 4) => shownOf(given, most).map(({ id }) => id).join('');
  assert.equal(ids(shares), 'cdef');
  assert.equal(ids(shares.map((share) => ({ ...share, state: 'fec'.includes(share.id) ? 'ended' : 'waiting' }))), 'abdf');
  assert.equal(ids(shares.map((share) => ({ ...share, state: 'ended' }))), 'cdef');
  assert.equal(ids(shares.map((share) => (share.id === 'e' ? { ...share, playlist_url: null } : share))), 'bcdf');
  assert.equal(ids(shares, 9), 'abcdef');
});

test('the window is what is recent of any share, and no longer than a clip may be', () => {
  assert.equal(windowOf([], 1_000), null);
  const shares = [{ oldest: 200, newest: 900 }, { oldest: 500, newest: 950 }];
  assert.deepEqual(windowOf(shares, 1_000), { start: 200, end: 950 });
  assert.deepEqual(windowOf(shares, 300), { start: 650, end: 950 });
});

test('what is shown first is the newest moment of which all that go on have a picture', () => {
  const window = { start: 0, end: 100_000 };
  const until = (...newest) => newest.map((each) => ({ oldest: 0, newest: each }));
  assert.equal(newestTogether(until(100_000), window), 99_940);
  assert.equal(newestTogether(until(100_000, 98_000), window), 97_940);
  assert.equal(newestTogether(until(100_000, 50_000), window), 99_940, 'that one is over');
  assert.equal(newestTogether(until(10), { start: 0, end: 10 }), 0);
});

test('a clock that follows stays near the newest moment, as there is more of it', () => {
  const clock = new StepClock(0, 60_000, 60_000);
  clock.follow();
  let last = 60_000;
  for (let passed = 0; passed < 60_000; passed += TICK_MS) {
    if (passed % 2_000 === 0) clock.grow({ start: 0, end: last + 1_000, last: (last += 2_000), longest: 2_000 });
    clock.pass(TICK_MS, true);
    assert.ok(clock.instant <= last && last - clock.instant < 10_000, `${last - clock.instant} ms behind`);
  }
  assert.ok(clock.playing && clock.following);
});

test('a clock that follows waits where there is no more, and leaves out what has long gone by', () => {
  const clock = new StepClock(0, 60_000, 60_000);
  clock.follow();
  clock.grow({ start: 0, end: 60_000, last: 60_000, longest: 2_000 });
  for (let passed = 0; passed < 10_000; passed += TICK_MS) clock.pass(TICK_MS, true);
  assert.equal(clock.instant, 60_000);
  assert.ok(!clock.pass(TICK_MS, true), 'it does not go');
  assert.ok(clock.following, 'it goes on when there is more');
  clock.grow({ start: 0, end: 200_000, last: 190_000, longest: 2_000 });
  clock.pass(TICK_MS, true);
  assert.ok(clock.instant > 180_000 && clock.instant < 190_000);
});

test('whatever is done with a clock that follows, it stands there and follows no more', () => {
  for (const [act, instant] of [
    [(clock) => clock.toggle(), 60_000],
    [(clock) => clock.seek(12_000), 12_000],
  ]) {
    const clock = new StepClock(0, 60_000, 60_000);
    clock.follow();
    act(clock);
    assert.deepEqual([clock.instant, clock.playing, clock.following], [instant, false, false]);
    assert.equal(clock.pace, clock.rate);
  }
});

test('a page has the screens that somebody chose, in their order, as long as all are there', () => {
  const share = (id, more = {}) =>
    ({ id, state: 'recording', playlist_url: '/p', oldest: 'a', newest: 'b', ...more });
  const shares = ['e', 'd', 'c', 'b', 'a'].map((id) => share(id));
  const ids = (found) => found?.map(({ id }) => id) ?? null;
  assert.deepEqual(ids(chosenOf(shares, ['a', 'e', 'b', 'c'])), ['a', 'e', 'b', 'c']);
  assert.equal(chosenOf(shares, ['a', 'x']), null);
  assert.equal(chosenOf(shares, []), null);
  assert.equal(chosenOf([share('a', { playlist_url: null })], ['a']), null, 'it may not be watched');
});
