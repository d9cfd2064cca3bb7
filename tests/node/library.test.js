// library/words.js, filters.js, pages.js: what clips are called, looked for by, and shown in.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

process.env.TZ = 'Europe/Berlin';
const { asked, filtersIn, fragmentOf } = await import('../../app/console/static/library/filters.js');
const { Pages } = await import('../../app/console/static/library/pages.js');
const { openAll } = await import('../../app/console/static/library/opening.js');
const { Problem } = await import('../../app/console/static/api.js');
const { fileName, mayChange, nameOf } = await import('../../app/console/static/library/words.js');

const clip = (more = {}) => ({
  id: 'c', title: '', room: 'studio', sharer: 'alice', owner: 'bob', size_bytes: 1, created_at: '2026-01-31T12:00:00Z',
  delivered: { start: '2026-01-31T11:03:07.580Z', end: '2026-01-31T11:03:37.580Z', duration_seconds: 30 }, ...more,
});

beforeEach(() => mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-01-31T12:00:00Z') }));
afterEach(() => mock.timers.reset());

test('a clip is called by its title, or by who shared and when', () => {
  assert.equal(nameOf(clip({ title: 'That goal' })), 'That goal');
  assert.match(nameOf(clip()), /^alice at 12:03:07/);
});

test('a clip is changed by whom the service lets change it', () => {
  assert.equal(mayChange(clip({ right: 'change' })), true);
  assert.equal(mayChange(clip({ right: 'delete' })), false, 'not by whom it shows');
});

test('clips of one’s screen are looked for by whose it is, and those by others apart', () => {
  const screen = (value) => asked({ screen: value }, 'alice');
  assert.deepEqual([screen('mine').sharer, screen('mine').others], ['alice', undefined]);
  assert.deepEqual([screen('others').sharer, screen('others').others], ['alice', true]);
  assert.equal(asked({}, 'alice').sharer, undefined);
});

test('a file’s name says what, and when it was recorded', () => {
  assert.equal(fileName(clip({ title: 'That goal' })), 'That goal 2026-01-31 11.03.07.mp4');
  assert.equal(fileName(clip()), 'studio 2026-01-31 11.03.07.mp4', 'without a title the room');
});

test('no title makes a path, or a name that some system refuses', () => {
  for (const title of ['../../etc/passwd', 'a/b\\c:d*e?f"g<h>i|j', '.mp4', 'con:', `${'x'.repeat(200)}`]) {
    const name = fileName(clip({ title }));
    assert.doesNotMatch(name, /[/\\:*?"<>|]/);
    assert.ok(name.length <= 80 + ' 2026-01-31 11.03.07.mp4'.length, name);
  }
  assert.match(fileName(clip({ title: '   ', room: '' })), /^replay /);
});

test('filters of a fragment are those that hold something, and make the same fragment again', () => {
  const query = new URLSearchParams('title=goal&room=&owner=me&page=7&since=2026-01-01&when=dates');
  const filters = filtersIn(query);
  assert.deepEqual(filters, { title: 'goal', owner: 'me', when: 'dates', since: '2026-01-01' });
  assert.deepEqual(filtersIn(new URLSearchParams(fragmentOf(filters).split('?')[1])), filters);
});

test('no filters are the plain page', () => {
  assert.deepEqual(filtersIn(new URLSearchParams()), {});
  assert.equal(fragmentOf({}), '#/clips');
  assert.equal(fragmentOf({ title: '' }), '#/clips');
});

test('a fragment carries any text', () => {
  const filters = { title: 'a&b=c #1 ✓', room: '50% off?' };
  assert.deepEqual(filtersIn(new URLSearchParams(fragmentOf(filters).split('?')[1])), filters);
});

test('to whom clips are open is asked for where it is one of three', () => {
  assert.equal(asked({ open: 'link' }, 'bob').visibility, 'link');
  assert.equal(asked({ open: 'toString' }, 'bob').visibility, undefined, 'a link may say anything');
});

test('“me” is whoever looks', () => {
  assert.equal(asked({ owner: 'me' }, 'bob').owner, 'bob');
  assert.equal(asked({ owner: 'alice' }, 'bob').owner, 'alice');
  assert.equal(asked({}, 'bob').owner, undefined);
});

test('a span counts back from now', () => {
  assert.equal(asked({ when: 'day' }, 'bob').since, '2026-01-30T12:00:00.000Z');
  assert.equal(asked({ when: 'week' }, 'bob').since, '2026-01-24T12:00:00.000Z');
  assert.equal(asked({ when: 'month' }, 'bob').until, undefined);
  for (const when of ['some-time', 'constructor'])
    assert.equal(asked({ when }, 'bob').since, undefined, `a link may say anything: ${when}`);
});

test('dates are whole days of the viewer, and count only where they are asked for', () => {
  const dates = { since: '2026-01-01', until: '2026-01-02' };
  const { since, until } = asked({ when: 'dates', ...dates }, 'bob');
  assert.equal(since, '2025-12-31T23:00:00.000Z');
  assert.equal(until, '2026-01-02T23:00:00.000Z', 'the last day is in it');
  assert.equal(asked(dates, 'bob').since, undefined);
  assert.equal(asked({ when: 'dates' }, 'bob').until, undefined);
});

/** A service that has clips, and gives them page by page: `sizes` of them on each page. */
function service(sizes) {
  const calls = [];
  let given = 0;
  const get = (path, query, { signal }) => {
    signal.throwIfAborted();
    calls.push({ path, ...query });
    const place = query.next === null ? 0 : Number(query.next);
    const items = Array.from({ length: sizes[place] }, () => clip({ id: `c${given++}`, size_bytes: given % 7 }));
    return Promise.resolve({ items, next: place + 1 < sizes.length ? String(place + 1) : null });
  };
  return { calls, get };
}
const { signal } = new AbortController();

test('pages follow each other until the last, with what was asked for on each', async () => {
  const api = service([48, 48, 3]);
  const pages = new Pages(api, { room: 'studio' });
  assert.equal((await pages.more(signal)).length, 48);
  assert.equal(pages.ended, false);
  assert.equal((await pages.more(signal)).length, 48);
  assert.equal((await pages.more(signal)).length, 3);
  assert.equal(pages.ended, true);
  assert.deepEqual(api.calls.map(({ path, room, next }) => [path, room, next]), [
    ['/clips', 'studio', null], ['/clips', 'studio', '1'], ['/clips', 'studio', '2'],
  ]);
});

test('an empty page is not the end, where a title is looked for', async () => {
  const api = service([0, 0, 2, 48]);
  const pages = new Pages(api, {});
  assert.equal((await pages.more(signal)).length, 2);
  assert.equal(api.calls.length, 3);
});

test('nothing at all is the end at once', async () => {
  const pages = new Pages(service([0]), {});
  assert.deepEqual(await pages.more(signal), []);
  assert.equal(pages.ended, true);
});

test('as many as one has seen before come at once, in as few pages as the service lets', async () => {
  const api = service([200, 150, 48]);
  const found = await new Pages(api, {}).more(signal, 350);
  assert.equal(found.length, 350);
  assert.deepEqual(api.calls.map(({ limit }) => limit), [200, 150]);
});

test('a page that is not wanted any more is no page', async () => {
  const pages = new Pages({ get: (_path, _query, { signal: given }) => given.throwIfAborted() }, {});
  await assert.rejects(pages.more(AbortSignal.abort()), { name: 'AbortError' });
});

test('an order is asked for where the service has it', () => {
  assert.equal(asked({ sort: 'largest' }, 'bob').sort, 'largest');
  assert.equal(asked({ sort: 'oldest' }, 'bob').sort, 'oldest');
  for (const sort of ['by-moonlight', 'constructor', 'title'])
    assert.equal(asked({ sort }, 'bob').sort, undefined, `a link may say anything: ${sort}`);
  assert.equal(asked({}, 'bob').sort, undefined);
});

test('many clips are opened one after another, and it is said of each that was not', async () => {
  const closed = new Problem(409, { type: 'conflict', detail: 'closed by alice' });
  const patched = [];
  const patch = (path, body) => {
    patched.push([path, body]);
    return path.endsWith('/b') ? Promise.reject(closed) : Promise.resolve(clip({ id: path.slice(-1), ...body }));
  };
  const changed = [];
  const clips = ['a', 'b', 'c'].map((id) => clip({ id, visibility: 'private' }));
  const { done, lost } = await openAll([...clips, clip({ id: 'd', visibility: 'room' })], 'room', {
    api: { patch },
    onChange: ({ id, visibility }) => changed.push([id, visibility]),
  });
  assert.deepEqual(patched.map(([path]) => path), ['/clips/a', '/clips/b', '/clips/c', '/clips/d'], 'the page may know an old state');
  assert.deepEqual(changed, [['a', 'room'], ['c', 'room'], ['d', 'room']]);
  assert.equal(done, 3);
  assert.deepEqual(lost, [closed]);
});
