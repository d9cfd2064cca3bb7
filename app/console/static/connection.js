// Whether the service is there: said calmly, without moving anything.

import { h } from './dom.js';
import { inWords } from './telling.js';
import { texts } from './texts.js';

const place = h('div', { class: 'connection', role: 'status' });
document.querySelector('header').after(place);

/** Tells the state of live buffers from now on; none: nothing is to be told. */
export function tellConnection(live) {
  place.textContent = '';
  live?.addEventListener('state', () => {
    place.textContent = live.state === 'lost' ? words(live.problem) : '';
  });
}

function words(problem) {
  return problem?.status >= 400 && problem.status < 500 ? inWords(problem) : texts.shell.lost;
}
