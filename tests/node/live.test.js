// live.js: the buffers that one may see, kept up to date.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';

import { LiveBuffers } from '../../app/console/static/live.js';
import { serve, stream, tell } from './service.js';

const share = (id, since, more = {}) => ({ id, started_at: since, ...more });
const EARLY = '2026-01-31T12:00:00.000Z';
const LATE = '2026-01-31T12:05:00.000Z';

/** Live buffers that hear what `send` is given; it is there when the stream is. */
async function live(t) {
  let opened;
  const sending = new Promise((resolve) => (opened = resolve));
  const service = await serve(t, (_, response) => opened(stream(response)));
  const buffers = new LiveBuffers(service.api());
  t.after(() => buffers.close());
  const changes = [];
  buffers.addEventListener('change', ({ detail }) => changes.push(detail));
  const send = await sending;
  return {
    buffers,
    changes,
    async send(type, data) {
      const heard = new Promise((resolve) => buffers.addEventListener('change', resolve, { once: true }));
      send(type, data);
      await heard;
    },
  };
}

const ids = (buffers) => buffers.all.map(({ id }) => id);

test('nothing is not the same as not known yet', async (t) => {
  const { buffers, send } = await live(t);
  assert.equal(buffers.known, false);
  await send('snapshot', { items: [] });
  assert.equal(buffers.known, true);
  assert.deepEqual(buffers.all, []);
});

test('the newest share stands first, and order never depends on when it was heard of', async (t) => {
  const { buffers, send } = await live(t);
  await send('snapshot', { items: [share('a', EARLY), share('c', LATE), share('b', LATE)] });
  assert.deepEqual(ids(buffers), ['c', 'b', 'a']);
  await send('buffer', share('a', EARLY, { state: 'lagging' }));
  assert.deepEqual(ids(buffers), ['c', 'b', 'a']);
});

test('a buffer comes, changes and goes, and it is told which', async (t) => {
  const { buffers, changes, send } = await live(t);
  await send('snapshot', { items: [] });
  await send('buffer', share('a', EARLY, { state: 'recording' }));
  await send('buffer', share('a', EARLY, { state: 'ended' }));
  assert.equal(buffers.get('a').state, 'ended');
  await send('gone', { id: 'a' });
  assert.equal(buffers.get('a'), undefined);
  assert.deepEqual(changes, [null, 'a', 'a', 'a']);
});

test('a new snapshot is all there is', async (t) => {
  const { buffers, send } = await live(t);
  await send('snapshot', { items: [share('a', EARLY), share('b', EARLY)] });
  await send('snapshot', { items: [share('b', EARLY)] });
  assert.deepEqual(ids(buffers), ['b']);
});

test('what there was stays while the service is away, and it is told that it is', async (t) => {
  let away = false;
  const service = await serve(t, (_, response) => {
    if (away) return tell(response, { type: 'unavailable' }, 503);
    away = true;
    stream(response)('snapshot', { items: [share('a', EARLY)] });
    response.end();
  });
  const buffers = new LiveBuffers(service.api());
  t.after(() => buffers.close());
  const states = [];
  buffers.addEventListener('state', () => states.push(buffers.state));
  while (buffers.state !== 'lost') await once(buffers, 'state');
  assert.deepEqual(states, ['open', 'lost']);
  assert.equal(buffers.problem.status, 503);
  assert.deepEqual(ids(buffers), ['a']);
});

test('it ends where it is refused, and says why; with another token it begins anew', async (t) => {
  let refuses = true;
  const service = await serve(t, (_, response) => {
    if (refuses) tell(response, { type: 'unauthorized' }, 401);
    else stream(response);
  });
  const buffers = new LiveBuffers(service.api());
  t.after(() => buffers.close());
  await once(buffers, 'state');
  assert.deepEqual([buffers.state, buffers.problem.status], ['refused', 401]);
  refuses = false;
  buffers.listen();
  await once(buffers, 'state');
  assert.deepEqual([buffers.state, buffers.problem], ['open', null]);
});
