// How a capture gets on: by its events while few are followed, by asking now and then beyond that.

import { whenAny } from '../abort.js';
import { FINAL, Problem } from '../api.js';

/**
 * @import { Progress as Told } from '../../types.js'
 * @import { Api } from '../api.js'
 * @import { Progress } from './capture_job.js'
 * @typedef {(progress: Progress) => void} Show
 */

const STREAMS = 2; // a browser opens six connections to a server, and films need some of them
const ASK_MS = 1_500;

let streams = 0;

/**
 * Calls `show(progress)` until it is final, or refused: then with {status: 'lost'}. `mayListen`: whether
 * the page has a connection to spare for events.
 *
 * @param {Api} api
 * @param {string} path
 * @param {Show} show
 * @param {AbortSignal} signal
 */
export async function follow(api, path, show, signal, mayListen = true) {
  try {
    if (!mayListen || streams >= STREAMS) await ask(api, path, show, signal);
    else await listen(api, path, show, signal);
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof Problem)) throw error;
    show({ status: 'lost', stage: '', progress: 0, reason: null, detail: '', clip: null });
  }
}

/**
 * @param {Api} api
 * @param {string} path
 * @param {Show} show
 * @param {AbortSignal} signal
 */
async function listen(api, path, show, signal) {
  const done = new AbortController();
  streams += 1;
  try {
    const onEvent = (/** @type {string} */ _, /** @type {Told} */ progress) => {
      show(progress);
      if (FINAL.includes(progress.status)) done.abort();
    };
    await api.events(`${path}/events`, {}, { onEvent, signal: whenAny([signal, done.signal]) });
  } finally {
    done.abort();
    streams -= 1;
  }
}

/**
 * @param {Api} api
 * @param {string} path
 * @param {Show} show
 * @param {AbortSignal} signal
 */
async function ask(api, path, show, signal) {
  while (!signal.aborted) {
    try {
      /** @type {Told} */
      const progress = await api.get(path, {}, { signal });
      show(progress);
      if (FINAL.includes(progress.status)) return;
    } catch (error) {
      if (!(error instanceof Problem) || [401, 403, 404].includes(error.status)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
  }
}
