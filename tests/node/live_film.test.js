// watching/ and together/screen.js in a page: when a live picture is fetched, given up, heard.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';

import { FakeSource, FakeVideo, begin } from './page.js';
import { serve } from './service.js';
import { Screen } from '../../app/console/static/together/screen.js';
import { LiveFilm } from '../../app/console/static/watching/live_film.js';
import { liveView } from '../../app/console/static/watching/live_view.js';

const NOON = Date.UTC(2026, 0, 31, 12);
const at = (seconds) => new Date(NOON + seconds * 1000).toISOString();
const NEWEST = 2; // seconds after noon

const box = (kind, content) => {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(content.length + 8);
  head.write(kind, 4);
  return Buffer.concat([head, content]);
};
const FILES = {
  'playlist.m3u8': `#EXTM3U
#EXT-X-MAP:URI="init.mp4"
#EXT-X-PROGRAM-DATE-TIME:${at(0)}
#EXTINF:${NEWEST}.000000,
1.m4s
`,
  'init.mp4': box('moov', box('avcC', Buffer.from([1, 0x64, 0, 0x1f]))),
  '1.m4s': box('moof', box('tfdt', Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))),
};

async function until(holds, what) {
  const deadline = Date.now() + 10_000;
  while (!holds()) {
    assert.ok(Date.now() < deadline, `in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A page of a service that has one share; `asked` are the files that were fetched of it. */
async function shared(t) {
  const asked = [];
  const service = await serve(t, (request, response) => {
    const name = request.url.split('/').at(-1).replace(/[?].*/, '');
    asked.push(name);
    response.end(FILES[name]);
  });
  Object.assign(FakeSource, { supported: true, opens: true, unreadable: 0 });
  FakeSource.urls.clear();
  const share = { api: service.api(), live: new EventTarget(), id: 'b' };
  return { asked, share, page: begin(service.url) };
}

async function filmOf(t) {
  const found = await shared(t);
  const video = new FakeVideo();
  const film = new LiveFilm(found.share, video);
  t.after(() => film.close());
  return { ...found, film, video };
}

test('the newest of a share is shown, at its instant', async (t) => {
  const { film } = await filmOf(t);
  await until(() => film.clock, 'a picture');
  assert.deepEqual([film.newest, film.clock.instant(1)], [NOON + NEWEST * 1000, NOON + 1000]);
});

test('a hidden tab fetches nothing but for a picture above other windows', async (t) => {
  const { asked, share, page } = await shared(t);
  page.hidden = true;
  const video = new FakeVideo();
  const film = new LiveFilm(share, video);
  t.after(() => film.close());
  await new Promise((resolve) => setTimeout(resolve, 10)); // after its own timer
  assert.deepEqual(asked, []);
  page.pictureInPictureElement = video;
  page.dispatchEvent(new Event('enterpictureinpicture'));
  await until(() => film.clock, 'a picture');
});

test('a browser that reads no such picture is told so, once', async (t) => {
  const { film, asked } = await filmOf(t);
  FakeSource.supported = false;
  await once(film, 'failed');
  assert.equal(film.problem.type, 'film-broken');
  assert.deepEqual(asked, ['playlist.m3u8', 'init.mp4']);
});

test('what a browser can’t take is tried anew once, then given up', async (t) => {
  const { film } = await filmOf(t);
  FakeSource.unreadable = 1;
  await until(() => film.clock, 'a picture');
  const { film: other } = await filmOf(t);
  FakeSource.unreadable = Infinity;
  await once(other, 'failed');
  assert.equal(other.problem.type, 'film-broken');
});

test('a film that is dropped before it was opened leaves nothing', async (t) => {
  const { film, video } = await filmOf(t);
  FakeSource.opens = false;
  await until(() => video.src, 'the film');
  assert.equal(FakeSource.urls.size, 1);
  film.close();
  await until(() => FakeSource.urls.size === 0, 'its URL is revoked');
});

/** The live picture of a share over a player; `leave` ends it. */
async function watched(t) {
  const { share, page } = await shared(t);
  const back = Object.assign(new EventTarget(), {
    element: page.createElement('div'), video: new FakeVideo(), instant: NOON, seek: () => {},
  });
  const buffer = Object.assign(new EventTarget(), { id: share.id, goesOn: true, told: {} });
  const parts = { api: share.api, buffer, player: back, axis: { follow: () => {} }, selection: { most: 60_000 } };
  const view = liveView(parts, share.live, page.createElement('div'), () => {});
  t.after(() => view.close());
  return { view, back, page };
}

test('silence that the browser wanted ends with the live picture', async (t) => {
  const { view, back } = await watched(t);
  view.begin();
  const { video } = view;
  video.refuse = true;
  await until(() => !video.paused, 'it plays unheard');
  assert.equal(video.muted, true);
  view.leave();
  assert.equal(back.video.muted, false);
});

test('silence that the viewer wanted stays', async (t) => {
  const { view, back } = await watched(t);
  view.begin();
  const { video } = view;
  video.refuse = true;
  await until(() => !video.paused, 'it plays unheard');
  video.muted = false;
  await once(video, 'volumechange');
  video.muted = true;
  view.leave();
  assert.equal(back.video.muted, true);
});

test('a live picture above other windows plays on in a hidden tab', async (t) => {
  const { view, page } = await watched(t);
  view.begin();
  const { video } = view;
  Object.assign(page, { hidden: true, pictureInPictureElement: video });
  page.dispatchEvent(new Event('visibilitychange'));
  await until(() => !video.paused, 'it plays');
  page.pictureInPictureElement = null;
  await until(() => video.paused, 'it stands');
});

test('of a share that has ended nothing is fetched once its last picture was shown', async (t) => {
  const { share } = await shared(t);
  const told = {
    id: share.id, sharer: 'alice', state: 'recording', audio: false, gaps: [], started_at: at(0), ended_at: null,
    spans: [{ start: at(0), end: at(NEWEST) }],
  };
  const window = { start: NOON, end: NOON + NEWEST * 1000 };
  const screen = new Screen({ api: share.api, facts: { identity: 'bob' } }, told, window);
  t.after(() => screen.close());
  screen.watch(share.live, () => true);
  await until(() => screen.longest && screen.extent.newest && screen.follow(NOON, true, 1), 'a picture');
  screen.take({ ...told, state: 'ended', ended_at: at(NEWEST) });
  screen.follow(NOON + 1000, true, 1);
  assert.ok(screen.video.src);
  screen.follow(NOON + NEWEST * 1000 + 1, true, 1);
  assert.deepEqual([screen.video.src, screen.longest], ['', 0]);
});
