// other_tabs.js: tabs tell each other who is signed in, by name alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { answerTabs, othersSignedIn } from '../../app/console/static/other_tabs.js';

const WAIT_MS = 1_000; // in which a busy machine's tabs have answered

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
  const answered = new Promise((resolve) => {
    listener.onmessage = ({ data }) => {
      heard.push(Object.keys(data).toSorted());
      if ('answers' in data) resolve(null);
    };
  });
  const end = answerTabs(() => 'alice');
  await Promise.all([othersSignedIn(WAIT_MS), answered]);
  end();
  listener.close();
  assert.deepEqual(heard, [['asks'], ['answers', 'identity']]);
});
