// A session's end: told before it comes, and mended in place, so that nothing typed is lost.

import { ask, typed } from './asking.js';
import { refusedToken, tokenInput } from './entry.js';
import { h } from './dom.js';
import { tell } from './telling.js';
import { texts } from './texts.js';
import { clock } from './times.js';

/** @import { Session } from './session.js' */

const TOLD_BEFORE_MS = 5 * 60_000;
const LOOK_MS = 60 * 60_000; // browsers' timers reach no further than 24 days
const ALWAYS_SECONDS = 24 * 3600;

/**
 * Watches over a session's end. Returns a function that ends the watch.
 *
 * @param {Session} session
 */
export function watchExpiry(session) {
  const ending = new AbortController();
  /** @type {number | undefined} */
  let timer;
  /** @type {(() => void) | null} */
  let untell = null;
  let asking = false;

  const say = (/** @type {string} */ message, /** @type {number} */ seconds) => {
    untell?.();
    untell = tell(message, { seconds, action: { label: texts.entry.again, run: askAgain } });
  };
  const look = () => {
    clearTimeout(timer);
    const end = session.facts.renewable_until;
    const left = Date.parse(end) - session.api.now();
    if (left > TOLD_BEFORE_MS) timer = setTimeout(look, Math.min(left - TOLD_BEFORE_MS, LOOK_MS));
    else if (!untell) say(texts.entry.ends(clock(end)), Math.max(left / 1000, 1));
  };
  const over = () => {
    untell?.();
    void askAgain();
  };
  const resumed = () => {
    untell?.();
    untell = null;
    look();
  };

  async function askAgain() {
    untell = null;
    if (asking) return;
    asking = true;
    const input = tokenInput({ autofocus: true });
    const answer = await ask({
      title: session.expired ? texts.entry.expired : texts.entry.title,
      explain: texts.entry.goOn,
      fields: [h('label', { for: input.id }, texts.entry.label), input],
      submit: texts.entry.submit,
      act: async (data) => {
        try {
          await session.resume(typed(data, 'token'));
        } catch (error) {
          throw refusedToken(error);
        }
      },
    });
    asking = false;
    // Whoever has put it off still sees the page, and how to go on with it.
    if (!answer && session.expired && !ending.signal.aborted) say(texts.entry.expired, ALWAYS_SECONDS);
  }

  const options = { signal: ending.signal };
  session.addEventListener('change', look, options);
  session.addEventListener('expired', over, options);
  session.addEventListener('resumed', resumed, options);
  look();
  return () => {
    ending.abort();
    clearTimeout(timer);
    untell?.();
  };
}
