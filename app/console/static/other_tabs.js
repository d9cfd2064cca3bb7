// Who is signed in in other tabs of this browser: tabs ask each other, and tell a name, never a token.

import { freshKey } from './fresh_key.js';

const CHANNEL = 'replay.session';
const WAIT_MS = 300;

/** @typedef {{asks: string} | {answers: string, identity: string}} Word */

/**
 * Tells other tabs that ask who is signed in here. Returns a function that ends it.
 *
 * @param {() => string | null} identity Null if nobody is.
 */
export function answerTabs(identity) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = (/** @type {MessageEvent<Word>} */ { data }) => {
    const name = identity();
    if ('asks' in data && name !== null) channel.postMessage({ answers: data.asks, identity: name });
  };
  return () => channel.close();
}

/**
 * Who is signed in in other tabs, of those that answer within `wait` milliseconds.
 *
 * @returns {Promise<string[]>}
 */
export async function othersSignedIn(wait = WAIT_MS) {
  const channel = new BroadcastChannel(CHANNEL);
  const asks = freshKey();
  /** @type {Set<string>} */
  const found = new Set();
  channel.onmessage = (/** @type {MessageEvent<Word>} */ { data }) => {
    if ('answers' in data && data.answers === asks) found.add(data.identity);
  };
  channel.postMessage({ asks });
  await new Promise((resolve) => void setTimeout(resolve, wait));
  channel.close();
  return [...found];
}
