// timeline/following.js: how a capture gets on, to its end.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { follow } from '../../app/console/static/timeline/following.js';
import { serve, stream, tell } from './service.js';

const progress = (status) => ({ status, stage: '', progress: 0 });
const { signal } = new AbortController();

/** What is shown of captures, by their path. */
function watching(api, path, ending = signal) {
  const shown = [];
  return { shown, over: follow(api, path, ({ status }) => shown.push(status), ending) };
}

test('its events are shown until one is final; then nobody listens any more', async (t) => {
  const service = await serve(t, (_, response) => {
    const send = stream(response);
    for (const status of ['queued', 'running', 'ready']) send('progress', progress(status));
  });
  const { shown, over } = watching(service.api(), '/captures/c');
  await over;
  assert.deepEqual(shown, ['queued', 'running', 'ready']);
});

test('each way to end is an end', async (t) => {
  for (const status of ['ready', 'failed', 'cancelled']) {
    const service = await serve(t, (_, response) => void stream(response)('progress', progress(status)));
    const { shown, over } = watching(service.api(), '/captures/c');
    await over;
    assert.deepEqual(shown, [status]);
  }
});

test('one that the service does not know any more is lost', async (t) => {
  const service = await serve(t, (_, response) => tell(response, { type: 'not-found' }, 404));
  const { shown, over } = watching(service.api(), '/captures/c');
  await over;
  assert.deepEqual(shown, ['lost']);
});

test('whoever leaves the page is shown nothing, and hears of no problem', async (t) => {
  const service = await serve(t, (request) => request.socket.destroy());
  const ending = new AbortController();
  const { shown, over } = watching(service.api(), '/captures/c', ending.signal);
  ending.abort();
  await over;
  assert.deepEqual(shown, []);
});

test('of many, two are listened to; the others are asked for, so that films have connections left', async (t) => {
  const streams = []; // a promise of each, in the order in which they are opened
  const opened = [];
  for (let each = 0; each < 3; each++) streams.push(new Promise((resolve) => opened.push(resolve)));
  const asked = [];
  const service = await serve(t, (request, response) => {
    asked.push(request.url);
    if (request.url.endsWith('/events')) opened.shift()(stream(response));
    else tell(response, progress('ready'));
  });
  const api = service.api();
  const all = ['one', 'two', 'three'].map((id) => watching(api, `/captures/${id}`));
  await all[2].over;
  assert.deepEqual(all[2].shown, ['ready']);
  for (const send of await Promise.all(streams.slice(0, 2))) send('progress', progress('failed'));
  await Promise.all(all.map(({ over }) => over));
  const paths = ['/deep/v1/captures/one/events', '/deep/v1/captures/three', '/deep/v1/captures/two/events'];
  assert.deepEqual(asked.toSorted(), paths);
  const next = watching(api, '/captures/four');
  (await streams[2])('progress', progress('cancelled'));
  await next.over;
  assert.deepEqual(next.shown, ['cancelled'], 'a stream is free again');
});
