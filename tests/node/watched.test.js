// timeline/watched.js: one buffer as it is now, and what of it has gone since one looked.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mock, test } from 'node:test';

import { Problem } from '../../app/console/static/api.js';
import { borders } from '../../app/console/static/timeline/track.js';
import { WatchedBuffer, without } from '../../app/console/static/timeline/watched.js';

const NOON = Date.UTC(2026, 0, 31, 12);
const at = (seconds) => new Date(NOON + seconds * 1000).toISOString();
const span = (start, end, session = 'one') => ({ start: at(start), end: at(end), session_id: session });

/** As GET /buffers/{id} tells it. */
function told(more = {}) {
  const spans = more.spans ?? [span(0, 60)];
  return {
    id: 'b/1', sharer: 'alice', room: 'studio', state: 'recording', oldest: spans[0]?.start ?? null,
    spans, gaps: [], markers: [], ...more,
  };
}

/** A buffer that is watched; `answers` are what the service tells, one after the other. */
async function watched(t, ...answers) {
  mock.timers.enable({ apis: ['Date', 'setTimeout'], now: NOON + 61_000 });
  t.after(() => mock.timers.reset());
  const asked = [];
  const api = {
    now: () => Date.now(),
    get(path) {
      asked.push(path);
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      return answer instanceof Problem ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
  const live = new EventTarget();
  const buffer = await WatchedBuffer.opened(api, live, 'b/1');
  /** Tells it of a change, and lets the time pass until it has looked. */
  const changed = async (detail, kind = 'change') => {
    const heard = once(buffer, kind);
    live.dispatchEvent(new CustomEvent('change', { detail }));
    mock.timers.tick(2_000);
    await heard;
  };
  return { buffer, live, asked, changed, ms: (seconds) => NOON + seconds * 1000 };
}

test('its id may be anything, and its times are numbers', async (t) => {
  const gaps = [{ start: at(10), end: at(20), why: 'lost' }];
  const markers = [{ id: 'm', at: at(5), label: 'goal' }];
  const { buffer, asked, ms } = await watched(t, told({ gaps, markers }));
  assert.deepEqual(asked, ['/buffers/b%2F1']);
  assert.deepEqual([buffer.spans[0].start, buffer.spans[0].end], [ms(0), ms(60)]);
  assert.deepEqual([buffer.gaps[0].start, buffer.gaps[0].why], [ms(10), 'lost']);
  assert.equal(buffer.markers[0].at, ms(5));
});

test('it reaches from the oldest to the newest there is; what is recent may begin later', async (t) => {
  const { buffer, ms } = await watched(t, told({ spans: [span(-3600, -3500), span(0, 60)], oldest: at(0) }));
  assert.deepEqual(buffer.extent, { oldest: ms(-3600), recent: ms(0), newest: ms(60) });
  assert.equal(buffer.empty, false);
});

test('an empty one has no length, now', async (t) => {
  const { buffer } = await watched(t, told({ spans: [] }));
  const { oldest, recent, newest } = buffer.extent;
  assert.equal(buffer.empty, true);
  assert.deepEqual([oldest, recent, newest], [Date.now(), Date.now(), Date.now()]);
});

test('only what has ended, or is refused, does not go on', async (t) => {
  for (const state of ['recording', 'starting', 'waiting', 'lagging', 'stalled', 'ended', 'refused']) {
    const { buffer } = await watched(t, told({ state }));
    assert.equal(buffer.goesOn, !['ended', 'refused'].includes(state), state);
    mock.timers.reset();
  }
});

test('the gap of an instant begins with it and ends before the next', async (t) => {
  const gaps = [{ start: at(10), end: at(20), why: 'lost' }];
  const { buffer, ms } = await watched(t, told({ gaps }));
  assert.equal(buffer.gapAt(ms(9.999)), undefined);
  assert.equal(buffer.gapAt(ms(10)).why, 'lost');
  assert.equal(buffer.gapAt(ms(20)), undefined);
});

test('what is cleaned up while one looks is forgotten, and known to be', async (t) => {
  const { buffer, changed, ms } = await watched(t, told(), told({ spans: [span(4, 62)] }));
  assert.deepEqual(buffer.forgotten, []);
  await changed('b/1');
  assert.deepEqual(buffer.forgotten, [{ start: ms(0), end: ms(4) }]);
  assert.equal(buffer.lostOf({ start: ms(-10), end: ms(2) }), 2_000);
  assert.equal(buffer.lostOf({ start: ms(0), end: ms(60) }), 4_000);
  assert.equal(buffer.lostOf({ start: ms(4), end: ms(60) }), 0);
});

test('other buffers’ changes are none of its own; all at once may be', async (t) => {
  const { live, asked, changed } = await watched(t, told());
  live.dispatchEvent(new CustomEvent('change', { detail: 'another' }));
  mock.timers.tick(10_000);
  assert.equal(asked.length, 1);
  await changed(null);
  assert.equal(asked.length, 2);
});

test('however often it changes, it is read once in two seconds', async (t) => {
  const { buffer, live, asked, changed } = await watched(t, told());
  for (let each = 0; each < 5; each++) buffer.lookSoon();
  mock.timers.tick(1_999);
  assert.equal(asked.length, 1);
  await changed('b/1');
  assert.equal(asked.length, 2);
  live.dispatchEvent(new CustomEvent('change', { detail: 'b/1' }));
  buffer.close();
  mock.timers.tick(10_000);
  assert.equal(asked.length, 2, 'and never once it is closed');
});

test('that it is gone is told, and no other refusal is', async (t) => {
  const away = new Problem(503, { type: 'unavailable' });
  const gone = new Problem(404, { type: 'not-found' });
  const { buffer, changed } = await watched(t, told(), away, gone);
  await changed(null);
  assert.equal(buffer.lost, false);
  assert.equal(buffer.spans.length, 1, 'it is as it was');
  await changed(null, 'gone');
  assert.equal(buffer.lost, true);
});

test('stretches that go one after the other are one, and what was long ago is not remembered', async (t) => {
  const hour = 3600;
  const { buffer, changed, ms } = await watched(
    t,
    told({ spans: [span(0, 60)] }),
    told({ spans: [span(2, 62)] }),
    told({ spans: [span(4, 64)] }),
    told({ spans: [span(hour, hour + 60)] }),
  );
  await changed('b/1');
  await changed('b/1');
  assert.deepEqual(buffer.forgotten, [{ start: ms(0), end: ms(4) }]);
  await changed('b/1');
  assert.deepEqual(buffer.forgotten, []);
});

test('what can’t be seen is not opened', async (t) => {
  await assert.rejects(watched(t, new Problem(404, { type: 'not-found' })), { status: 404 });
});

const part = (start, end) => ({ start: start * 1000, end: end * 1000 });

test('without: what the others don’t cover', () => {
  assert.deepEqual(without(part(0, 10), []), [part(0, 10)]);
  assert.deepEqual(without(part(0, 10), [part(2, 4), part(6, 8)]), [part(0, 2), part(4, 6), part(8, 10)]);
  assert.deepEqual(without(part(0, 10), [part(-5, 3), part(9, 20)]), [part(3, 9)]);
  assert.deepEqual(without(part(0, 10), [part(-5, 20)]), []);
  assert.deepEqual(without(part(0, 10), [part(-5, 0), part(10, 20)]), [part(0, 10)], 'they only touch it');
});

test('without: others may lie over each other', () => {
  assert.deepEqual(without(part(0, 10), [part(1, 5), part(2, 3), part(4, 6)]), [part(0, 1), part(6, 10)]);
});

test('without: less than a tenth of a second is what clocks were corrected by', () => {
  assert.deepEqual(without(part(0, 10), [part(0.05, 9.95)]), []);
  assert.deepEqual(without(part(0, 0.05), []), []);
});

test('a border stands where another session begins, and nowhere else', () => {
  const of = (session, start) => ({ session_id: session, start });
  assert.deepEqual(borders([of('a', 0), of('a', 5), of('b', 9), of('b', 12), of('a', 20)]), [9, 20]);
  assert.deepEqual(borders([of('a', 0)]), []);
  assert.deepEqual(borders([]), []);
});
