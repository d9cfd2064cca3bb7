// timeline/rough.js: how large the small picture is that stands for the film's.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { within } from '../../app/console/static/timeline/rough.js';

test('a picture is as large as its place allows, and keeps its shape', () => {
  assert.deepEqual(within(2, 400, 100), [200, 100]);
  assert.deepEqual(within(2, 100, 400), [100, 50]);
});
