import assert from 'node:assert/strict';

/** Fails unless two numbers differ by `by` at most. */
export function near(actual, wanted, by = 0.01) {
  assert.ok(Math.abs(actual - wanted) <= by, `${actual} is not ${wanted}, within ${by}`);
}
