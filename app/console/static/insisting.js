// Asking again after an answer that was lost, for what is done once however often it is asked.

import { Problem } from './api.js';

const AGAIN_MS = [500, 1_500, 4_000];

/**
 * The answer of `ask()`, which has a key of its own; `onAgain()` is called before it is asked again.
 *
 * @template T
 * @param {() => Promise<T>} ask
 * @param {() => void} onAgain
 */
export async function insistently(ask, onAgain) {
  for (const wait of AGAIN_MS) {
    try {
      return await ask();
    } catch (error) {
      if (!isPassing(error)) throw error;
      onAgain();
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
  return ask();
}

/** Whether it is not known if the request was taken. @param {unknown} error */
export const isPassing = (error) => error instanceof Problem && [0, 502, 503, 504].includes(error.status);
