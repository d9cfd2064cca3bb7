// fresh_key.js: keys by which the service knows a request that it has had before.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { freshKey } from '../../app/console/static/fresh_key.js';

test('no two are the same, and the service takes each', () => {
  const keys = Array.from({ length: 1000 }, freshKey);
  assert.equal(new Set(keys).size, keys.length);
  assert.ok(keys.every((key) => /^[\x21-\x7e]{1,200}$/.test(key)));
});
