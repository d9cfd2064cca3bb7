// telling.js and entry.js: what went wrong, in words; texts.js: words with counts.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Problem } from '../../app/console/static/api.js';
import { refusedToken } from '../../app/console/static/entry.js';
import { inWords } from '../../app/console/static/telling.js';
import { text, texts } from '../../app/console/static/texts.js';

const words = (document, status = 400) => inWords(new Problem(status, document));

test('a problem is said with its facts', () => {
  const detail = 'that it is so';
  assert.match(words({ type: 'conflict', detail }), /that it is so\.$/);
  assert.match(words({ type: 'window-too-long', max_seconds: 600 }), /10:00 long/);
  assert.match(words({ type: 'too-many-captures', limit: 2, retry_after: 4.2 }), / 2 captures.*in 5 s/);
  const quota = { type: 'quota-exceeded', needed_bytes: 2e9, quota_bytes: 5e9, used_bytes: 4e9, reserved_bytes: 5e8 };
  assert.match(words(quota), /about 2 GB, and 500 MB of your 5 GB are left/);
});

test('of a quota that is overdrawn nothing is left, rather than less than nothing', () => {
  const quota = { type: 'quota-exceeded', needed_bytes: 1, quota_bytes: 5e9, used_bytes: 6e9, reserved_bytes: 0 };
  assert.match(words(quota), /and 0 MB of your/);
});

test('when to try again is said only where it is known', () => {
  assert.match(words({ type: 'buffer-empty', retry_after: 3 }), /in 3 s\.$/);
  assert.doesNotMatch(words({ type: 'buffer-empty' }), /undefined|Try again/);
});

test('a problem without words of ours has the service’s own', () => {
  assert.equal(words({ type: 'brand-new', detail: 'It rains.' }), 'It rains.');
  assert.equal(words({ title: 'Teapot' }, 418), 'Teapot');
  assert.equal(words({}, 418), '418');
});

test('a slug that every object has for a property is no text of ours', () => {
  assert.equal(words({ type: 'constructor', detail: 'It rains.' }), 'It rains.');
});

test('what is no Problem is the page’s own fault, and is not explained', () => {
  assert.equal(inWords(new TypeError('x is not a function')), texts.problems.unexpected);
});

test('a token that is refused when it is shown is said to be so; other problems stay what they are', () => {
  const refused = refusedToken(new Problem(401, { type: 'unauthorized', detail: 'it is too old' }));
  assert.deepEqual([refused.status, refused.type], [401, 'token-refused']);
  assert.match(inWords(refused), /didn’t work: it is too old/);
  const away = new Problem(503, { type: 'unavailable' });
  assert.equal(refusedToken(away), away);
  const fault = new TypeError('x');
  assert.equal(refusedToken(fault), fault);
});

test('a text is found by its dotted name', () => {
  assert.equal(text('shell.brand'), 'Replay');
  assert.equal(text('buffers.states.ended'), 'Ended');
});

test('one is one, and several are several', () => {
  const { admin, buffers, library, timeline } = texts;
  assert.equal(timeline.gaps.count(1, '0:07'), '1 gap, 0:07 in total');
  assert.equal(timeline.gaps.count(2, '0:07'), '2 gaps, 0:07 in total');
  assert.match(admin.shares.count(1, 0), /^1 share, 0 recording/);
  assert.match(admin.shares.count(0, 0), /^0 shares/);
  assert.equal(admin.instance.counts.warn(1), '1 warning');
  assert.equal(admin.instance.counts.warn(2), '2 warnings');
  assert.equal(buffers.shown(1, 12), '1 of 12 shares');
  assert.equal(typeof library.selection.count(0), 'string');
  assert.notEqual(library.selection.count(1), library.selection.count(2));
});

test('lengths are said in the unit that one chooses them in', () => {
  const { presets, tail } = texts.timeline;
  assert.deepEqual([30, 60, 600].map(presets.short), ['30 s', '1 min', '10 min']);
  assert.match(tail.behind(2.34), /^2 s behind/);
  assert.match(tail.behind(75), /1:15 behind/);
  assert.equal(texts.admin.instance.seconds(0.123), '0.12 s');
  assert.equal(texts.admin.instance.seconds(12.3), '12 s');
});
