// buffers/words.js and buffers/acting.js: what is said of a share, and what may be done with it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { rights as rightsAt, stopWords } from '../../app/console/static/buffers/acting.js';
import { GROUPS, ago, encodingOf, groupCalled, isOf, stateOf } from '../../app/console/static/buffers/words.js';
import { texts } from '../../app/console/static/texts.js';

const NOW = Date.parse('2026-01-31T12:00:00Z');
const share = (more = {}) => ({
  id: 'b', sharer: 'alice', room: 'studio', state: 'recording', why: null, why_detail: '', retry_at: null,
  newest: '2026-01-31T11:59:58Z', replay_url: '/buffers/b/replay.mp4', ...more,
});
const rights = (session, buffer) => rightsAt(session, buffer, NOW);
const said = (more, viewer = 'bob') => stateOf(share(more), viewer, NOW);

test('where all is well the badge says it all', () => {
  assert.deepEqual(said({}), { badge: 'Recording', tone: 'live', says: '', reason: '', todo: '' });
  assert.deepEqual(said({ state: 'ended', why: 'stopped-by-sharer' }), {
    badge: 'Ended', tone: 'soft', says: '', reason: '', todo: '',
  });
});

test('each reason is said, with what to do', () => {
  for (const [why, words] of Object.entries(texts.buffers.why)) {
    const { says, todo, tone } = said({ state: 'refused', why });
    assert.ok(says && !says.includes('undefined'), why);
    assert.equal(todo, words.todo);
    assert.equal(tone, 'bad');
  }
});

test('without a reason a state speaks for itself, if it has something to say', () => {
  assert.match(said({ state: 'lagging' }).says, /behind/);
  assert.match(said({ state: 'stalled' }).todo, /share again/);
  assert.equal(said({ state: 'waiting' }).says, '');
});

test('a state or a reason that this page does not know yet is shown as it is, or not at all', () => {
  assert.deepEqual(said({ state: 'dreaming', why: 'who-knows' }), {
    badge: 'dreaming', tone: 'warn', says: '', reason: '', todo: '',
  });
});

test('the limit is told where the service tells it', () => {
  assert.match(said({ state: 'waiting', why: 'limit', why_detail: '5' }).says, /limit of 5 shares/);
  assert.doesNotMatch(said({ state: 'waiting', why: 'limit', why_detail: '' }).says, /\d/);
  const own = { state: 'refused', why: 'user-limit', why_detail: '2' };
  assert.match(said(own).says, /limit of 2 shares per user/);
  assert.match(said({ ...own, why: 'too-often', why_detail: '120' }).says, /120 per user .* in an hour/);
  assert.doesNotMatch(said({ ...own, why: 'too-often', why_detail: '' }).says, /\d/);
});

test('who stopped it themselves is told so; others are told that the sharer has', () => {
  const stopped = { state: 'refused', why: 'stopped-by-sharer' };
  assert.match(said(stopped, 'alice').says, /^You stopped/);
  assert.match(said(stopped, 'bob').says, /^The sharer stopped/);
  const reasoned = { ...stopped, why_detail: 'lunch' };
  assert.equal(said(reasoned, 'alice').reason, 'Reason: “lunch”');
  assert.equal(said(reasoned, 'bob').reason, 'Reason: “lunch”');
});

test('an administrator’s reason is theirs, also to the sharer', () => {
  const stopped = { state: 'refused', why: 'stopped-by-admin', why_detail: 'exam' };
  assert.match(said(stopped, 'alice').says, /^An admin/);
  assert.equal(said(stopped, 'alice').reason, 'Reason: “exam”');
});

test('the next try is told while it waits for one that is still to come', () => {
  const waiting = { state: 'waiting', why: 'no-worker', retry_at: '2026-01-31T12:00:10Z' };
  assert.match(said(waiting).todo, /Next try .*:00:10/);
  assert.doesNotMatch(said({ ...waiting, retry_at: '2026-01-31T11:59:59Z' }).todo, /Next try/);
  assert.doesNotMatch(said({ ...waiting, retry_at: null }).todo, /Next try/);
  assert.doesNotMatch(said({ ...waiting, state: 'stalled' }).todo, /Next try/);
});

test('a cheaper encoding is told, with why; the configured one is not', () => {
  for (const why of Object.keys(texts.buffers.encoding)) {
    assert.match(encodingOf({ encoding: '1280x720@15:1500', encoding_why: why }), /in 720p15: /i);
    assert.match(encodingOf({ encoding: 'PORTRAIT_H264_1080P_30', encoding_why: why }), /in 1080p30: /i);
  }
  assert.equal(encodingOf({ encoding: 'H264_1080P_60', encoding_why: null }), '');
  assert.equal(encodingOf({ encoding: null, encoding_why: null }), '');
  assert.equal(encodingOf({ encoding: '1280x720@15:1500', encoding_why: 'who-knows' }), '');
});

test('every state that has a word is in just one group to filter by', () => {
  const grouped = Object.values(GROUPS).flat();
  assert.deepEqual(grouped.toSorted(), Object.keys(texts.buffers.states).toSorted());
});

test('a group that nobody knows, such as a property of every object, is all of them', () => {
  assert.equal(groupCalled('live'), 'live');
  for (const name of [null, '', 'all', 'nothing', 'constructor', 'toString'])
    assert.equal(groupCalled(name), 'all', String(name));
});

test('a share is of the group of its state, and always of all', () => {
  assert.equal(isOf('live', share({ state: 'recording' })), true);
  assert.equal(isOf('live', share({ state: 'refused' })), false);
  assert.equal(isOf('all', share({ state: 'dreaming' })), true);
});

test('how long ago, in the largest unit that it fills; what is to come is now', () => {
  for (const [seconds, words] of [
    [-5, '0 s ago'], [0, '0 s ago'], [59.9, '59 s ago'], [60, '1 min ago'], [3599, '59 min ago'],
    [3600, '1 h ago'], [90_000, '25 h ago'],
  ])
    assert.equal(ago(seconds * 1000), words, String(seconds));
});

const viewer = (more = {}) => ({
  facts: {
    identity: 'bob', room: null, room_admin: false, instance_admin: false, communities: [],
    limits: { retention_seconds: 720 }, ...more,
  },
});
const ADMINS = {
  'of the instance': viewer({ instance_admin: true }),
  'of the room': viewer({ room: 'studio', room_admin: true }),
  'of a community': viewer({ communities: [{ id: 'guests', manages: true, administrates: false }] }),
};

test('whoever sees a moment may keep it; nobody may without media', () => {
  assert.equal(rights(viewer(), share()).keep, true);
  assert.equal(rights(viewer(), share({ newest: null })).keep, false);
  assert.equal(rights(viewer(), share({ replay_url: null })).keep, false);
});

test('the sharer and every kind of admin may stop a share, once; others may not', () => {
  for (const [which, admin] of Object.entries(ADMINS))
    assert.equal(rights(admin, share()).stop, true, which);
  assert.equal(rights(viewer({ identity: 'alice' }), share()).stop, true);
  assert.equal(rights(viewer(), share()).stop, false);
  assert.equal(rights(viewer({ room: 'other', room_admin: true }), share()).stop, false);
  for (const why of ['stopped-by-sharer', 'stopped-by-admin'])
    assert.equal(rights(ADMINS['of the instance'], share({ state: 'refused', why })).stop, false);
});

test('each resumes their own stop', () => {
  const sharer = viewer({ identity: 'alice' });
  const [own, admins] = ['stopped-by-sharer', 'stopped-by-admin'].map((why) => share({ state: 'refused', why }));
  assert.equal(rights(sharer, own).resume, true);
  assert.equal(rights(sharer, admins).resume, false);
  for (const [which, admin] of Object.entries(ADMINS)) {
    assert.equal(rights(admin, own).resume, false, which);
    assert.equal(rights(admin, admins).resume, true, which);
  }
  assert.equal(rights(viewer(), admins).resume, false);
});

test('who may stop a share may delete what is kept of it, if there is anything', () => {
  assert.equal(rights(viewer({ identity: 'alice' }), share()).erase, true);
  assert.equal(rights(viewer(), share()).erase, false);
  assert.equal(rights(viewer({ identity: 'alice' }), share({ newest: null })).erase, false);
});

test('what has ended can still be kept, and be stopped as long as it may come again', () => {
  const admin = ADMINS['of the instance'];
  for (const why of [null, 'stopped-by-admin', 'stopped-by-sharer']) {
    const may = rights(admin, share({ state: 'ended', why, ended_at: '2026-01-31T11:48:00Z' }));
    assert.deepEqual(may, { keep: true, stop: false, erase: true, resume: false });
  }
  const justNow = share({ state: 'ended', ended_at: '2026-01-31T11:48:01Z' });
  assert.equal(rights(admin, justNow).stop, true);
  assert.equal(rights(viewer(), justNow).stop, false);
});

test('the button of a share that may come again says what it is for', () => {
  const own = texts.buffers;
  const words = (more, may) => stopWords(share(more), { resume: false, ...may }).label;
  assert.equal(words({}), own.stop);
  assert.equal(words({ state: 'ended' }), own.stopAgain);
  assert.equal(words({ state: 'refused' }, { resume: true }), own.resume);
});
