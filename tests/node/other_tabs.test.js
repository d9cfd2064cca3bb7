// other_tabs.js: tabs tell each other who is signed in, by name alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { answerTabs, othersSignedIn } from '../../app/console/static/other_tabs.js';

const WAIT_MS = 50;

test('each tab that is signed in tells whose it is, once for all who are the same', async () => {
  const ends = ['alice', 'bob', 'alice', null].map((name) => answerTabs(() => name));
  const [first, second] = await Promise.all([othersSignedIn(WAIT_MS), othersSignedIn(WAIT_MS)]);
  assert.deepEqual(first.toSorted(), ['alice', 'bob']);
  assert.deepEqual(second.toSorted(), ['alice', 'bob']);
  for (const end of ends) end();
  assert.deepEqual(await othersSignedIn(WAIT_MS), []);
});

test('nothing but names is told', async () => {
  /** @type {unknown[]} */
  const heard = [];
  const listener = new BroadcastChannel('replay.session');
  listener.onmessage = ({ data }) => void heard.push(Object.keys(data).toSorted());
  const end = answerTabs(() => 'alice');
  await othersSignedIn(WAIT_MS);
  end();
  listener.close();
  assert.deepEqual(heard, [['asks'], ['answers', 'identity']]);
});
