// abort.js: one of several reasons ends a request, in older browsers, too.

import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { test } from 'node:test';

import { whenAny } from '../../app/console/static/abort.js';

const known = AbortSignal.any;

for (const is of ['there', 'missing']) {
  test(`the first that is aborted tells why, where AbortSignal.any is ${is}`, async (t) => {
    if (is === 'missing') delete AbortSignal.any;
    t.after(() => Object.defineProperty(AbortSignal, 'any', { value: known, configurable: true, writable: true }));
    const [early, late] = [new AbortController(), new AbortController()];
    const both = whenAny([early.signal, late.signal]);
    assert.equal(both.aborted, false);
    const told = once(both, 'abort');
    late.abort('enough');
    await told;
    early.abort('too late');
    assert.equal(both.reason, 'enough');
    assert.equal(whenAny([late.signal, new AbortController().signal]).reason, 'enough');
    assert.equal(whenAny([new AbortController().signal, early.signal]).aborted, true);
  });
}

test('what listened to a signal that lasts is gone with the other reason', (t) => {
  delete AbortSignal.any;
  t.after(() => Object.defineProperty(AbortSignal, 'any', { value: known, configurable: true, writable: true }));
  const [page, request] = [new AbortController(), new AbortController()];
  whenAny([page.signal, request.signal]);
  assert.equal(getEventListeners(page.signal, 'abort').length, 1);
  request.abort();
  assert.equal(getEventListeners(page.signal, 'abort').length, 0);
});
