// admin/audit_sentences.js and buffers/checklist.js: what an administrator reads.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { byDay } from '../../app/console/static/admin/captures_by_day.js';
import { effects } from '../../app/console/static/admin/effects.js';
import { placeOf, rest, sentence } from '../../app/console/static/admin/audit_sentences.js';
import { fullIn } from '../../app/console/static/admin/instance.js';
import { steps, webhookLines } from '../../app/console/static/buffers/checklist.js';
import { texts } from '../../app/console/static/texts.js';

const entry = (more) => ({ action: 'recording_stopped', done_by: 'ada', subject: 'b1', data: {}, ...more });

test('an entry is a sentence about whose thing it was', () => {
  assert.equal(sentence(entry({ data: { sharer: 'alice' } })), 'ada stopped recording alice');
  assert.equal(sentence(entry({ action: 'quota_set', subject: 'bob' })), 'ada set bob’s quota');
  assert.equal(sentence(entry({ action: 'clip_expired', done_by: '', data: { owner: 'bob' } })), 'A clip of bob expired');
  assert.equal(sentence(entry({ action: 'brand_new', done_by: '' })), 'Replay: brand_new');
});

test('every action has a sentence', () => {
  const { actions, sentences } = texts.admin.audit;
  assert.deepEqual(Object.keys(sentences).toSorted(), Object.keys(actions).toSorted());
});

test('an entry leads to the share or the clip that it is about, if that is still there', () => {
  assert.equal(placeOf(entry({ subject: 'a/b' })), '#/buffers/a%2Fb');
  assert.equal(placeOf(entry({ action: 'clip_shared' })), '#/clips/b1');
  assert.equal(placeOf(entry({ action: 'captured', data: { clip_id: 'c1' } })), '#/clips/c1');
  assert.equal(placeOf(entry({ action: 'clip_deleted' })), null);
});

test('what the sentence says, and what is empty, is not told again', () => {
  assert.deepEqual(rest({ sharer: 'alice', reason: 'exam', note: '', more: null, list: [] }), [['reason', 'exam']]);
});

test('the first run has its steps whatever the checks tell', () => {
  const told = steps([{ name: 'webhook', ok: true, level: 'ok', detail: 'a minute ago', advice: '' }]);
  assert.deepEqual(told.map(({ name, done }) => [name, done]), [['livekit', false], ['webhook', true], ['egress', false]]);
  assert.match(webhookLines('https://replay.example'), /- https:\/\/replay\.example\/webhooks\/livekit$/);
});

const rules = {
  enabled: true, max_concurrent: 5, max_concurrent_per_user: 2, access: 'open', capture_policy: 'room', retention_minutes: 30,
  own: ['capture_policy', 'retention_minutes'],
  defaults: { max_concurrent: 5, max_concurrent_per_user: 2, access: 'open', capture_policy: 'self', retention_minutes: 12 },
};
const said = texts.admin.communities.effects;

test('what a change of rules stops now is said before it is saved', () => {
  assert.deepEqual(effects(rules, {}), []);
  assert.deepEqual(effects(rules, { enabled: true, max_concurrent: 5, access: 'open', retention_minutes: 40 }), []);
  assert.deepEqual(effects(rules, { enabled: false }), [said.off]);
  assert.deepEqual(effects(rules, { access: 'rbac' }), [said.roles, said.rights]);
  assert.deepEqual(effects(rules, { max_concurrent: 1 }), [said.fewer]);
  assert.deepEqual(effects(rules, { sharer_rights: null, max_concurrent: null }), [], 'which are so already');
});

test('a rule that is left to the instance again counts as the instance’s', () => {
  assert.deepEqual(effects(rules, { retention_minutes: null }), [said.shorter(12)]);
  assert.deepEqual(effects(rules, { capture_policy: null }), [said.rights]);
  assert.deepEqual(effects({ ...rules, enabled: false }, { enabled: true }), []);
});

test('captures are told by days, the newest first, and causes by how often they were', () => {
  const hour = (at, more) => ({ at, ready: 0, cancelled: 0, failed: 0, failures: [], ...more });
  const noon = new Date(2026, 0, 31, 12).getTime();
  const days = byDay([
    hour(new Date(noon - 86_400_000).toISOString(), { ready: 2 }),
    hour(new Date(noon).toISOString(), { ready: 1, failed: 1, failures: [{ reason: 'gave-up', count: 1 }] }),
    hour(new Date(noon + 3_600_000).toISOString(), { failed: 2, cancelled: 4, failures: [{ reason: 'storage-full', count: 2 }] }),
  ]);
  assert.deepEqual(days.map(({ ready, failed, cancelled }) => [ready, failed, cancelled]), [[1, 3, 4], [2, 0, 0]]);
  assert.deepEqual([...days[0].failures], [['storage-full', 2], ['gave-up', 1]]);
  assert.deepEqual(byDay([]), []);
});

test('when the disk is full is said in one unit', () => {
  assert.match(fullIn(9.4 * 3_600_000), /in about 9 h/);
  assert.match(fullIn(-5), /disk is full/);
});
