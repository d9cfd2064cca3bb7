// Whether the service is there: said calmly, without moving anything.

import { Problem } from './api.js';
import { h } from './dom.js';
import { inWords } from './telling.js';
import { texts } from './texts.js';

/** @import { LiveBuffers } from './live.js' */

const place = h('div', { class: 'connection', role: 'status' });
let ending = new AbortController();
document.querySelector('header')?.after(place);

/**
 * Tells the state of live buffers from now on; none: nothing is to be told.
 *
 * @param {LiveBuffers | null} live
 */
export function tellConnection(live) {
  ending.abort();
  ending = new AbortController();
  place.textContent = '';
  if (!live) return;
  const show = () => {
    const lost = live.state === 'lost' || !navigator.onLine;
    place.textContent = !lost ? '' : navigator.onLine ? words(live.problem) : texts.shell.lost;
    document.documentElement.toggleAttribute('data-offline', lost); // what is shown may be old
  };
  const { signal } = ending;
  live.addEventListener('state', show, { signal });
  // An open stream lingers for a while; the browser knows at once.
  for (const kind of ['offline', 'online']) addEventListener(kind, show, { signal });
  show();
}

/** @param {unknown} problem */
function words(problem) {
  const isRefused = problem instanceof Problem && problem.status >= 400 && problem.status < 500;
  return isRefused ? inWords(problem) : texts.shell.lost;
}
