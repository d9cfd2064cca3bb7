// app/kit/replay.js: a room and the service as an app meets them. Its elements are tried in a browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { attach } from '../../app/kit/replay.js';
import { serve, stream, tell } from './service.js';

/** What the kit needs of a LiveKit room. */
class Room {
  name = 'stu dio';
  state = 'connected';
  localParticipant = { identity: 'alice', attributes: {}, isScreenShareEnabled: false };
  others = new Map();
  #listeners = new Map();

  constructor() {
    this.localParticipant.setAttributes = async (told) => void Object.assign(this.localParticipant.attributes, told);
  }

  getParticipantByIdentity(identity) {
    return identity === 'alice' ? this.localParticipant : this.others.get(identity);
  }

  on(event, listener) {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  off(event, listener) {
    this.#listeners.set(event, this.#listeners.get(event).filter((each) => each !== listener));
  }

  emit(event, ...told) {
    for (const listener of this.#listeners.get(event) ?? []) listener(...told);
  }

  get listeners() {
    return [...this.#listeners.values()].flat().length;
  }
}

const CLIP = { id: 'c1', file_url: '/v1/files/f1?sig=x', page_url: null };
const PAGE = 'https://replay.example.com/c/secret';

const buffer = (told) => ({
  id: 'b1',
  room: 'stu dio',
  sharer: 'alice',
  state: 'recording',
  why: null,
  why_detail: '',
  started_at: '2026-01-01T00:00:00.000Z',
  poster_url: '/v1/buffers/b1/poster.jpg?sig=x',
  ...told,
});

/**
 * A replay of a room. `answers`: by method and path what is answered, by a function or as JSON. `asked` lists the
 * requests; what nobody answers is 404.
 */
async function replayOf(t, answers, { token = () => 'a-token', room = new Room() } = {}) {
  const asked = [];
  const service = await serve(t, (request, response) => {
    const path = request.url.replace('/deep/v1/', '').replace(/\?.*/, '');
    const what = `${request.method} ${path}`;
    asked.push({ what, url: request.url, text: request.text, headers: request.headers });
    const answer = answers[what] ?? (path === 'buffers/events' ? (_, it) => stream(it)('snapshot', { items: [] }) : null);
    if (typeof answer === 'function') answer(request, response);
    else if (answer) tell(response, answer);
    else tell(response, { type: 'not-found', title: 'No such thing', detail: 'there is none' }, 404);
  });
  const replay = attach(room, { url: service.url, token });
  t.after(() => replay.close());
  return { replay, room, asked, url: service.url, of: (what) => asked.filter((one) => one.what === what) };
}

/** Resolves once something holds of the replay. */
function once(replay, holds) {
  return new Promise((resolve) => {
    const look = () => holds(replay) && (end(), resolve());
    const end = replay.onChange(look);
    look();
  });
}

/** Answers of a capture that becomes a clip. */
const MADE = {
  'POST captures': { id: 'k1', clip_id: 'c1' },
  'GET captures/k1/events': (_, response) => {
    const send = stream(response);
    send('capture', { status: 'running', progress: 0.5, clip: null });
    send('capture', { status: 'ready', progress: 1, clip: CLIP });
  },
  'PATCH clips/c1': { ...CLIP, page_url: PAGE },
};

test('the last seconds become a clip with a link, and how far it is is told', async (t) => {
  const { replay, of, url } = await replayOf(t, MADE);
  const heard = [];
  const made = await replay.clip({ last: 20, title: 'Goal', onProgress: ({ status }) => heard.push(status) });
  assert.deepEqual([made.ok, made.link, made.clip.id], [true, PAGE, 'c1']);
  assert.equal(made.clip.file_url, `${url}v1/files/f1?sig=x`, 'it leads somewhere from any page');
  assert.deepEqual(heard, ['running', 'ready']);
  const [capture] = of('POST captures');
  assert.deepEqual(JSON.parse(capture.text), { room: 'stu dio', last: 20, title: 'Goal', sharer: 'alice' });
  assert.equal(capture.headers.authorization, 'Bearer a-token');
  assert.deepEqual(JSON.parse(of('PATCH clips/c1')[0].text), { visibility: 'link' });
});

test('without a link the clip stays private', async (t) => {
  const { replay, of } = await replayOf(t, MADE);
  const made = await replay.clip({ link: false, sharer: 'bob' });
  assert.deepEqual([made.ok, made.link, of('PATCH clips/c1').length], [true, null, 0]);
  assert.equal(JSON.parse(of('POST captures')[0].text).sharer, 'bob');
});

test('a request whose answer is lost is sent again with the same key: one clip', async (t) => {
  let lost = 0;
  const { replay, of } = await replayOf(t, {
    ...MADE,
    'POST captures': (request, response) => {
      if (lost++) tell(response, { id: 'k1' });
      else request.socket.destroy();
    },
  });
  assert.equal((await replay.clip()).ok, true);
  const keys = of('POST captures').map(({ headers }) => headers['idempotency-key']);
  assert.equal(keys.length, 2);
  assert.equal(new Set(keys).size, 1);
  await replay.clip();
  assert.notEqual(of('POST captures')[2].headers['idempotency-key'], keys[0], 'another clip is another key');
});

test('a stream of a capture that breaks is opened again, and one too many is asked for instead', async (t) => {
  let opened = 0;
  const { replay } = await replayOf(t, {
    ...MADE,
    'GET captures/k1/events': (request, response) => {
      opened++;
      if (opened === 1) request.socket.destroy();
      else tell(response, { type: 'too-many-requests' }, 429, { 'Retry-After': '60' });
    },
    'GET captures/k1': { status: 'ready', clip: CLIP },
  });
  assert.equal((await replay.clip()).ok, true);
  assert.equal(opened, 2);
});

test('what goes wrong is a value: the service’s problem, with its facts', async (t) => {
  const problem = { type: 'quota-exceeded', title: 'Full', status: 507, detail: 'delete a clip', quota_bytes: 5 };
  const { replay } = await replayOf(t, { 'POST captures': (_, response) => tell(response, problem, 507) });
  assert.deepEqual(await replay.clip(), { ok: false, error: problem });
});

test('a capture that fails says why', async (t) => {
  const { replay } = await replayOf(t, {
    ...MADE,
    'GET captures/k1/events': (_, response) =>
      stream(response)('capture', { status: 'failed', reason: 'storage-full', detail: 'no space', clip: null }),
  });
  const { ok, error } = await replay.clip();
  assert.deepEqual([ok, error.type, error.detail], [false, 'storage-full', 'no space']);
});

test('a clip whose link is refused is there all the same', async (t) => {
  const { replay } = await replayOf(t, {
    ...MADE,
    'PATCH clips/c1': (_, response) => tell(response, { type: 'no-public-url' }, 409),
  });
  const made = await replay.clip();
  assert.deepEqual([made.ok, made.error.type, made.clip.id], [false, 'no-public-url', 'c1']);
});

test('a clip that was deleted as soon as it was made is gone', async (t) => {
  const { replay } = await replayOf(t, {
    ...MADE,
    'GET captures/k1/events': (_, response) => stream(response)('capture', { status: 'ready', clip: null }),
  });
  const { ok, error } = await replay.clip();
  assert.deepEqual([ok, error.type, error.title], [false, 'gone', 'The clip was deleted']);
});

test('who waits for a clip is told of what another try does not mend', async (t) => {
  for (const [status, asked] of [[401, 2], [403, 1], [422, 1]]) {
    const { replay, of } = await replayOf(t, {
      ...MADE,
      'GET captures/k1/events': (_, response) => tell(response, { type: 'refused' }, status),
    });
    const { ok, error } = await replay.clip();
    assert.deepEqual([ok, error.type, error.status], [false, 'refused', status]);
    assert.equal(of('GET captures/k1/events').length, asked);
  }
});

test('who waits for a clip is told when the service stays away', async (t) => {
  const { replay, of } = await replayOf(t, {
    ...MADE,
    'GET captures/k1/events': (_, response) => tell(response, { type: 'internal' }, 500, { 'Retry-After': '0' }),
  });
  const { ok, error } = await replay.clip();
  assert.deepEqual([ok, error.type], [false, 'internal']);
  assert.equal(of('GET captures/k1/events').length, 15);
});

test('a replay that is closed waits for no clip', async (t) => {
  const { replay } = await replayOf(t, { ...MADE, 'GET captures/k1/events': (_, it) => (stream(it), replay.close()) });
  const { ok, error } = await replay.clip();
  assert.deepEqual([ok, error.type], [false, 'aborted']);
});

test('who waits no longer is answered at once', async (t) => {
  const ending = new AbortController();
  const { replay } = await replayOf(t, { ...MADE, 'GET captures/k1/events': () => ending.abort() });
  const { ok, error } = await replay.clip({ signal: ending.signal });
  assert.deepEqual([ok, error.type], [false, 'aborted']);
});

test('an app’s handler that throws harms nothing', async (t) => {
  t.mock.method(console, 'error', () => {});
  const { replay } = await replayOf(t, MADE);
  const made = await replay.clip({ onProgress: () => assert.fail('the app’s fault') });
  assert.equal(made.ok, true);
  assert.equal(console.error.mock.callCount(), 2);
});

test('a token that is not taken any more is asked for again, once for all who wait', async (t) => {
  const tokens = ['old', 'new'];
  const given = [];
  const only = (answer) => (request, response) => {
    if (request.headers.authorization === 'Bearer new') tell(response, answer);
    else tell(response, { type: 'unauthorized' }, 401);
  };
  const room = new Room();
  room.state = 'disconnected';
  const token = async () => given[given.push(tokens[given.length]) - 1];
  const answers = { 'GET clips/c1': only(CLIP), 'GET clips/c2': only(CLIP) };
  const { replay } = await replayOf(t, answers, { token, room });
  const found = await Promise.all(['c1', 'c2'].map((id) => replay.getClip(id)));
  assert.deepEqual(found.map(({ ok }) => ok), [true, true]);
  assert.deepEqual(given, ['old', 'new']);
});

test('an app that has no better token gets the service’s word, after one more try', async (t) => {
  const refuse = (_, response) => tell(response, { type: 'unauthorized', title: 'No' }, 401);
  const { replay, of } = await replayOf(t, { 'GET clips/c1': refuse });
  const { ok, error } = await replay.getClip('c1');
  assert.deepEqual([ok, error.type, error.status], [false, 'unauthorized', 401]);
  assert.equal(of('GET clips/c1').length, 2);
});

test('an app that fails to give a token is told so', async (t) => {
  const { replay } = await replayOf(t, {}, { token: () => Promise.reject(new Error('signed out')) });
  const { ok, error } = await replay.getClip('c1');
  assert.deepEqual([ok, error.type, error.detail], [false, 'no-token', 'signed out']);
});

test('a token may be a text; one that is none is not sent', async (t) => {
  for (const token of ['a-text', async () => 'a-text']) {
    const { replay, of } = await replayOf(t, { 'GET clips/c1': CLIP }, { token });
    assert.equal((await replay.getClip('c1')).ok, true);
    assert.equal(of('GET clips/c1')[0].headers.authorization, 'Bearer a-text');
  }
  for (const token of ['', null, () => null, async () => undefined]) {
    const { replay, asked } = await replayOf(t, {}, { token });
    const { ok, error } = await replay.getClip('c1');
    assert.deepEqual([ok, error.type, asked.length], [false, 'no-token', 0]);
  }
});

test('ids of others are no paths', async (t) => {
  const { replay, asked } = await replayOf(t, {});
  await replay.getClip('../sessions?x');
  assert.equal(asked.at(-1).url, '/deep/v1/clips/..%2Fsessions%3Fx');
});

test('the badge is what the service says of one’s share', async (t) => {
  let send;
  const { replay, room, url } = await replayOf(t, { 'GET buffers/events': (_, response) => (send = stream(response)) });
  const { localParticipant: me } = room;
  await once(replay, ({ connection }) => connection === 'open');
  assert.equal(replay.badge().state, 'idle');
  me.isScreenShareEnabled = true;
  assert.equal(replay.badge().state, 'starting', 'shared, and nothing is heard of it yet');
  const said = [
    [{ state: 'waiting', why: 'starting' }, 'starting'],
    [{ state: 'waiting', why: 'no-worker' }, 'off'],
    [{ state: 'waiting', why: 'egress-failed', why_detail: 'no room' }, 'off'],
    [{ state: 'starting' }, 'starting'],
    [{ state: 'recording' }, 'recording'],
    [{ state: 'lagging' }, 'recording'],
    [{ state: 'stalled' }, 'starting'],
    [{ state: 'refused', why: 'encrypted', why_detail: 'end to end' }, 'off'],
    [{ state: 'refused', why: 'opted-out' }, 'opted-out'],
  ];
  for (const [told, state] of said) {
    send('buffer', buffer(told));
    await once(replay, () => replay.badge().buffer?.state === told.state && replay.badge().why === (told.why ?? null));
    assert.equal(replay.badge().state, state);
    assert.equal(replay.badge().detail, told.why_detail ?? '');
  }
  assert.equal(replay.badge().buffer.poster_url, `${url}v1/buffers/b1/poster.jpg?sig=x`);
  send('gone', { id: 'b1' });
  await once(replay, () => replay.badge().buffer === null);
});

test('of others, whose shares one may not see, LiveKit’s attributes tell', async (t) => {
  const { replay, room } = await replayOf(t, {});
  room.others.set('bob', { identity: 'bob', attributes: { 'replay.buffered': 'on' } });
  room.others.set('eve', { identity: 'eve', attributes: { replay: 'off' }, isScreenShareEnabled: true });
  room.others.set('joe', { identity: 'joe', attributes: {}, isScreenShareEnabled: true });
  await once(replay, ({ connection }) => connection === 'open');
  const states = ['bob', 'eve', 'joe', 'nobody'].map((who) => replay.badge(who).state);
  assert.deepEqual(states, ['recording', 'opted-out', 'off', 'idle']);
});

test('other rooms and shares that are over are not the badge', async (t) => {
  const items = [buffer({ id: 'b2', room: 'other' }), buffer({ id: 'b3', state: 'ended' })];
  const { replay } = await replayOf(t, { 'GET buffers/events': (_, it) => stream(it)('snapshot', { items }) });
  let changes = 0;
  replay.onChange(() => changes++);
  await once(replay, () => changes > 1);
  assert.equal(replay.badge().state, 'idle');
});

test('the stream comes back after the service was away, and is lost meanwhile', async (t) => {
  let opened = 0;
  const { replay } = await replayOf(t, {
    'GET buffers/events': (request, response) => {
      if (opened++ === 0) request.socket.destroy();
      else stream(response)('snapshot', { items: [buffer()] });
    },
  });
  await once(replay, ({ connection }) => connection === 'lost');
  assert.equal(replay.problem.type, 'unreachable');
  assert.match(replay.problem.detail, /^fetch failed: does the service run at http:\/\/127\.0\.0\.1:\d+\?$/);
  await once(replay, () => replay.badge().state === 'recording');
  assert.deepEqual([replay.connection, replay.problem], ['open', null]);
});

test('a page whose origin the service may not know is told what to look for', async (t) => {
  globalThis.location = { origin: 'https://app.example.com' };
  t.after(() => delete globalThis.location);
  const { replay } = await replayOf(t, { 'GET clips/c1': (request) => request.socket.destroy() });
  const { ok, error } = await replay.getClip('c1');
  assert.deepEqual([ok, error.type], [false, 'unreachable']);
  assert.match(error.detail, /, and do its CORS_ORIGINS name https:\/\/app\.example\.com\?$/);
});

test('where the service refuses, nobody asks again at once', async (t) => {
  const { replay, of } = await replayOf(t, {
    'GET buffers/events': (_, response) => tell(response, { type: 'not-permitted' }, 403),
  });
  await once(replay, ({ connection }) => connection === 'refused');
  assert.equal(replay.problem.type, 'not-permitted');
  assert.equal(of('GET buffers/events').length, 1);
});

test('what was refused is asked for again: a proxy may have answered', async (t) => {
  let refused = 0;
  const { replay } = await replayOf(t, {
    'GET buffers/events': (_, response) => {
      if (refused++) stream(response)('snapshot', { items: [buffer()] });
      else tell(response, { type: 'not-found' }, 404, { 'Retry-After': '0' });
    },
  });
  await once(replay, ({ connection }) => connection === 'refused');
  await once(replay, () => replay.badge().state === 'recording');
  assert.deepEqual([replay.connection, replay.problem], ['open', null]);
});

test('who watches is told of another problem, too', async (t) => {
  let asked = 0;
  const { replay } = await replayOf(t, {
    'GET buffers/events': (_, response) => tell(response, { type: `no-${++asked}` }, 500, { 'Retry-After': '0' }),
  });
  await once(replay, ({ problem }) => problem?.type === 'no-2');
});

test('a page that is given for any path is not taken for the service', async (t) => {
  const page = (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end('<!doctype html>');
  };
  const { replay, room, url, of } = await replayOf(t, { 'GET buffers/events': page, 'GET clips/c1': page });
  room.localParticipant.isScreenShareEnabled = true;
  await once(replay, ({ connection }) => connection === 'lost');
  const detail = `${url} answers text/html, not a stream of events: is it the service?`;
  assert.equal(replay.problem.detail, detail);
  const { state, why, detail: shown } = replay.badge();
  assert.deepEqual([state, why, shown], ['off', null, detail]);
  const { ok, error } = await replay.getClip('c1');
  assert.deepEqual([ok, error.type, of('GET clips/c1').length], [false, 'unreachable', 1]);
  assert.match(error.detail, /not JSON: is it the service\?$/);
});

test('an error without a word has some', async (t) => {
  const empty = 'HTTP/1.1 500 \r\nContent-Length: 0\r\nConnection: close\r\n\r\n'; // as HTTP/2 has it
  const { replay } = await replayOf(t, { 'GET clips/c1': ({ socket }) => socket.end(empty) });
  const { ok, error } = await replay.getClip('c1');
  assert.deepEqual([ok, error.type, error.title, error.detail], [false, 'unknown', 'HTTP 500', 'HTTP 500']);
});

test('what is no matter of the network is not said to be', async (t) => {
  const { replay } = await replayOf(t, {}, { room: Object.assign(new Room(), { state: 'disconnected' }) });
  const { ok, error } = await replay.clip({ last: 1n }); // no JSON has it
  assert.deepEqual([ok, error.type], [false, 'unknown']);
  assert.match(error.detail, /BigInt/);
});

test('a room may be attached before it is connected, and left', async (t) => {
  const room = new Room();
  room.state = 'disconnected';
  const { replay, asked } = await replayOf(t, {}, { room });
  assert.deepEqual([replay.connection, asked.length], ['closed', 0]);
  room.state = 'connected';
  room.emit('connected');
  await once(replay, ({ connection }) => connection === 'open');
  assert.equal(asked[0].url, '/deep/v1/buffers/events?room=stu+dio');
  room.state = 'disconnected';
  room.emit('disconnected');
  assert.equal(replay.connection, 'closed');
  replay.close();
  assert.equal(room.listeners, 0);
});

test('a mark is set on one’s newest share, once, also if its answer is lost', async (t) => {
  let lost = 0;
  const items = [buffer({ id: 'old', started_at: '2025-01-01T00:00:00.000Z' }), buffer(), buffer({ id: 'b', sharer: 'bob' })];
  const { replay, of } = await replayOf(t, {
    'GET buffers/events': (_, response) => stream(response)('snapshot', { items }),
    'POST buffers/b1/markers': { id: 'm1', label: 'Here' },
    'POST buffers/b/markers': (request, response) => {
      if (lost++) tell(response, { id: 'm2', label: '' });
      else request.socket.destroy();
    },
  });
  await once(replay, () => replay.badge().buffer);
  assert.deepEqual(await replay.mark('Here'), { ok: true, marker: { id: 'm1', label: 'Here' } });
  assert.deepEqual(JSON.parse(of('POST buffers/b1/markers')[0].text), { label: 'Here' });
  assert.equal((await replay.mark('', { sharer: 'bob' })).ok, true);
  const keys = of('POST buffers/b/markers').map(({ headers }) => headers['idempotency-key']);
  assert.deepEqual([keys.length, new Set(keys).size], [2, 1]);
});

test('without a share there is nothing to mark', async (t) => {
  const { replay } = await replayOf(t, { 'GET buffers': { items: [], next: null } });
  const { ok, error } = await replay.mark();
  assert.deepEqual([ok, error.type], [false, 'no-share']);
});

test('opting out is an attribute, and can be taken back', async (t) => {
  const { replay, room } = await replayOf(t, {});
  assert.deepEqual(await replay.optOut(true), { ok: true });
  assert.deepEqual([replay.optedOut, replay.badge().state], [true, 'opted-out']);
  assert.deepEqual(await replay.optOut(false), { ok: true });
  assert.deepEqual([replay.optedOut, room.localParticipant.attributes], [false, { replay: '' }]);
});

test('a token that may not set attributes is told of', async (t) => {
  const { replay, room } = await replayOf(t, {});
  room.localParticipant.setAttributes = () => Promise.reject(new Error('no permission'));
  const { ok, error } = await replay.optOut();
  assert.deepEqual([ok, error.type, replay.optedOut], [false, 'not-permitted', false]);
  assert.match(error.detail, /canUpdateOwnMetadata/);
});

test('LiveKit that does not answer is no matter of the token', async (t) => {
  const { replay, room } = await replayOf(t, {});
  room.localParticipant.setAttributes = () => Promise.reject(new Error('it timed out'));
  const { ok, error } = await replay.optOut();
  assert.deepEqual([ok, error.type, error.detail], [false, 'unreachable', 'it timed out']);
});

test('whose share is clipped where none is named: one’s own, or that of the only one who shares', async (t) => {
  const ago = (seconds) => new Date(Date.now() - seconds * 1_000).toISOString();
  const bob = buffer({ id: 'b2', sharer: 'bob' });
  const eve = buffer({ id: 'b3', sharer: 'eve' });
  const ended = (seconds) => ({ state: 'ended', ended_at: ago(seconds) });
  const meant = [
    [[], 'alice'],
    [[bob], 'bob'],
    [[bob, buffer({ id: 'b4', sharer: 'bob' })], 'bob'],
    [[bob, eve], 'alice'],
    [[bob, { ...eve, state: 'refused' }], 'bob'],
    [[bob, { ...eve, room: 'other' }], 'bob'],
    [[{ ...bob, ...ended(10) }], 'bob'],
    [[bob, buffer()], 'alice'],
    [[bob, buffer(ended(10))], 'alice'],
    [[bob, buffer(ended(100))], 'bob'],
  ];
  for (const [items, sharer] of meant) {
    const listed = buffer({ id: 'b9', sharer: 'all', state: 'refused' });
    const { replay, of } = await replayOf(t, {
      ...MADE,
      'GET buffers/events': (_, it) => stream(it)('snapshot', { items: [...items, listed] }),
    });
    await once(replay, () => replay.badge('all').buffer);
    await replay.clip();
    assert.equal(JSON.parse(of('POST captures')[0].text).sharer, sharer);
  }
});

test('who shares is clipped, also where nothing is heard of it', async (t) => {
  const items = [buffer({ id: 'b2', sharer: 'bob' })];
  const { replay, room, of } = await replayOf(t, {
    ...MADE,
    'GET buffers/events': (_, it) => stream(it)('snapshot', { items }),
    'POST buffers/b2/markers': { id: 'm1', label: '' },
  });
  await once(replay, () => replay.badge('bob').buffer);
  assert.equal((await replay.mark()).ok, true, 'of the one who shares');
  room.localParticipant.isScreenShareEnabled = true;
  await replay.clip();
  assert.equal(JSON.parse(of('POST captures')[0].text).sharer, 'alice');
});

const said = (event, id, clip) =>
  new TextEncoder().encode(JSON.stringify({ event, id, replay: { clip_id: clip } }));

test('clips are heard of from the service alone, once, and only those that it shows', async (t) => {
  const { replay, room, of } = await replayOf(t, { 'GET clips/c1': CLIP });
  const heard = [];
  const both = new Promise((resolve) => {
    replay.onClip(({ event, clip }) => heard.push([event, clip.id]) === 2 && resolve());
  });
  room.emit('dataReceived', said('clip_shared', 'e0', 'forged'), { identity: 'eve' }, 0, 'replay');
  room.emit('dataReceived', said('clip_shared', 'e1', 'forged'), undefined, 0, 'chat');
  room.emit('dataReceived', said('clip_shared', 'e2', 'invisible'), undefined, 0, 'replay');
  room.emit('dataReceived', new Uint8Array([1, 2]), undefined, 0, 'replay');
  room.emit('dataReceived', new TextEncoder().encode('null'), undefined, 0, 'replay');
  room.emit('dataReceived', said('capture_ready', 'e3', 'c1'), undefined, 0, 'replay');
  room.emit('dataReceived', said('capture_ready', 'e3', 'c1'), undefined, 0, 'replay');
  room.emit('dataReceived', said('clip_shared', 'e4', 'c1'), undefined, 0, 'replay');
  await both;
  assert.deepEqual(heard.sort(), [['capture_ready', 'c1'], ['clip_shared', 'c1']]);
  assert.equal(of('GET clips/forged').length, 0);
});
