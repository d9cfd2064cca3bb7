// Who is signed in in other tabs of this browser: tabs ask each other, and tell a name, never a token.

import { freshKey } from './fresh_key.js';

const NAME = 'replay.session';
const WAIT_MS = 300;
const LONGEST_MS = 5_000;

/** @typedef {{asks: string} | {answers: string, identity: string | null}} Word */

/**
 * The browser's locks: a tab that answers holds one, so whoever asks knows how many answers to wait
 * for. Undefined in a page without https, which waits for a while instead.
 *
 * @type {LockManager | undefined}
 */
const LOCKS = globalThis.navigator?.locks;

/**
 * Tells other tabs that ask who is signed in here. Returns a function that ends it.
 *
 * @param {() => string | null} identity Null if nobody is.
 */
export function answerTabs(identity, locks = LOCKS) {
  const channel = new BroadcastChannel(NAME);
  channel.onmessage = (/** @type {MessageEvent<Word>} */ { data }) => {
    if ('asks' in data) channel.postMessage({ answers: data.asks, identity: identity() });
  };
  let end = () => {};
  const ended = new Promise((/** @type {(value: void) => void} */ resolve) => void (end = resolve));
  void locks?.request(NAME, { mode: 'shared' }, () => ended);
  return () => (channel.close(), end());
}

/**
 * Who is signed in in other tabs: all that answer; without locks, within `wait` milliseconds.
 *
 * @returns {Promise<string[]>}
 */
export async function othersSignedIn(wait = WAIT_MS, locks = LOCKS) {
  const held = (await locks?.query())?.held ?? [];
  const others = locks ? held.filter(({ name }) => name === NAME).length : Infinity;
  if (others === 0) return [];
  const channel = new BroadcastChannel(NAME);
  const asks = freshKey();
  /** @type {(string | null)[]} */
  const found = [];
  await new Promise((resolve) => {
    setTimeout(resolve, locks ? LONGEST_MS : wait);
    channel.onmessage = (/** @type {MessageEvent<Word>} */ { data }) => {
      if (!('answers' in data) || data.answers !== asks) return;
      if (found.push(data.identity) === others) resolve(null);
    };
    channel.postMessage({ asks });
  });
  channel.close();
  return [...new Set(found)].filter((name) => name !== null);
}
