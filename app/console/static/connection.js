// Whether the service is there: said calmly, without moving anything.

import { Problem } from './api.js';
import { h } from './dom.js';
import { inWords } from './telling.js';
import { texts } from './texts.js';

/** @import { LiveBuffers } from './live.js' */

const place = h('div', { class: 'connection', role: 'status' });
document.querySelector('header')?.after(place);

/**
 * Tells the state of live buffers from now on; none: nothing is to be told.
 *
 * @param {LiveBuffers | null} live
 */
export function tellConnection(live) {
  place.textContent = '';
  live?.addEventListener('state', () => {
    place.textContent = live.state === 'lost' ? words(live.problem) : '';
  });
}

/** @param {unknown} problem */
function words(problem) {
  const isRefused = problem instanceof Problem && problem.status >= 400 && problem.status < 500;
  return isRefused ? inWords(problem) : texts.shell.lost;
}
