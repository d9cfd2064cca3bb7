// The captures of one buffer that were asked for in this tab.

import { h } from '../dom.js';
import { Problem } from '../api.js';
import { texts } from '../texts.js';
import { captureJob } from './capture_job.js';
import { follow } from './following.js';

/**
 * @import { Desk } from './buffer.js'
 * @import { Known } from './capture_job.js'
 */

const t = texts.timeline.jobs;

/**
 * {element, add(id, asked), made(id), close()}. They are remembered over a reload of the page.
 *
 * @param {Desk} desk
 */
export function captureJobs({ api, buffer }) {
  const kept = `replay.captures.${buffer.id}`;
  const ending = new AbortController();
  const list = h('ul', { class: 'jobs' });
  const none = h('p', { class: 'note' }, t.none);
  const title = h('h2', { id: 'jobs-title' }, t.title);
  const element = h(
    'section',
    { class: 'card panel', 'aria-labelledby': 'jobs-title' },
    title,
    none,
    list,
  );
  /** @type {string[]} */
  let ids = JSON.parse(sessionStorage.getItem(kept) ?? '[]');
  for (const id of ids) void found(id);
  return { element, add, made, close: () => ending.abort() };

  /**
   * @param {string} id
   * @param {Known} told
   */
  function add(id, told) {
    remember([...ids, id]);
    watch(id, told, true);
  }

  /** One that was asked for elsewhere. @param {string} id */
  function made(id) {
    remember([...ids, id]);
    void found(id);
  }

  /** @param {string} id */
  async function found(id) {
    try {
      watch(id, await api.get(`/captures/${id}`), false);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 404) remember(ids.filter((one) => one !== id));
    }
  }

  /**
   * @param {string} id
   * @param {Known} told
   * @param {boolean} fresh
   */
  function watch(id, told, fresh) {
    const job = captureJob({ api, id, told, fresh, dismiss });
    list.prepend(job.element);
    none.hidden = true;
    void follow(api, `/captures/${id}`, job.show, ending.signal);

    function dismiss() {
      remember(ids.filter((one) => one !== id));
      job.element.remove();
      none.hidden = list.children.length > 0;
      title.focus();
    }
  }

  /** @param {string[]} those */
  function remember(those) {
    ids = those;
    sessionStorage.setItem(kept, JSON.stringify(ids));
  }
}
