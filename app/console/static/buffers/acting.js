// What can be done with a live share at once: keep what just happened, stop, resume.

import { ask, typed } from '../asking.js';
import { FINAL, Problem } from '../api.js';
import { h } from '../dom.js';
import { copyLink } from '../library/link.js';
import { inWords, tell, tellProblem } from '../telling.js';
import { texts } from '../texts.js';
import { stretch } from '../times.js';

/**
 * @import { Accepted, BufferView, Progress } from '../../types.js'
 * @import { Api } from '../api.js'
 * @import { Facts } from '../session.js'
 */

const own = texts.buffers;
const LAST_SECONDS = 30;
const TOLD_SECONDS = 20;

/**
 * What the viewer may do at `now`, in ms, as far as the page can know; the service has the last word.
 *
 * A share that has ended may come again, as in a reconnect, and is stopped for then, too.
 *
 * @param {{facts: Facts}} session
 * @param {BufferView} buffer
 * @param {number} now
 */
export function rights(session, buffer, now) {
  const { identity, room, room_admin: roomAdmin, instance_admin: everything, communities, limits } = session.facts;
  const sharer = identity === buffer.sharer;
  const manages = everything || (roomAdmin && room === buffer.room) || communities.some((one) => one.manages);
  const goesOn = buffer.state !== 'ended';
  const mayComeAgain = goesOn || now - Date.parse(buffer.ended_at ?? '') < limits.retention_seconds * 1000;
  const stopped = goesOn && buffer.why?.startsWith('stopped-by-') ? buffer.why : null;
  return {
    keep: Boolean(buffer.replay_url && buffer.newest),
    stop: mayComeAgain && !stopped && (sharer || manages),
    erase: (sharer || manages) && Boolean(buffer.newest),
    resume: (stopped === 'stopped-by-sharer' && sharer) || (stopped === 'stopped-by-admin' && manages),
  };
}

/**
 * What the button says that stops or resumes: {label, of(who)}.
 *
 * @param {BufferView} buffer
 * @param {{resume: boolean}} may
 */
export function stopWords(buffer, may) {
  if (may.resume) return { label: own.resume, of: own.resumeOf };
  return buffer.state === 'ended' ? { label: own.stopAgain, of: own.stopAgainOf } : { label: own.stop, of: own.stopOf };
}

/**
 * Makes a clip of what has just happened; tells how it goes, even after the page has moved on. The id
 * of the capture, once it has ended; null if there is none.
 *
 * @param {Api} api
 * @param {Pick<BufferView, 'id' | 'sharer' | 'state'>} buffer
 */
export async function keepLast(api, buffer, seconds = LAST_SECONDS) {
  const who = buffer.sharer;
  const long = stretch(seconds);
  const untell = tell(own.keeping(who, long), { seconds: 120 });
  try {
    const tail = buffer.state === 'ended' ? 'skip' : 'include';
    const asked = { buffer_id: buffer.id, last: seconds, tail };
    /** @type {Accepted} */
    const capture = await api.post('/captures', asked);
    const done = await finished(api, capture.id);
    const open = () => void (location.hash = `/clips/${encodeURIComponent(capture.clip_id)}`);
    const clip = done?.status === 'ready' ? done.clip : null;
    if (clip) {
      const share = { label: texts.library.link.copy, run: () => void copyLink(clip, { api }) };
      tell(own.kept(who, long), { seconds: TOLD_SECONDS, action: [share, { label: own.open, run: open }] });
    } else {
      const why = done?.detail || done?.reason || done?.status || texts.problems.unexpected;
      tell(own.lost(who, long, why), { alert: true, seconds: TOLD_SECONDS });
    }
    return capture.id;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    tell(own.lost(who, long, inWords(error)), { alert: true, seconds: TOLD_SECONDS });
    return null;
  } finally {
    untell();
  }
}

/**
 * The last progress of a capture.
 *
 * @param {Api} api
 * @param {string} id
 */
async function finished(api, id) {
  const over = new AbortController();
  /** @type {{last: Progress | null}} */
  const told = { last: null };
  const onEvent = (/** @type {string} */ _, /** @type {Progress} */ progress) => {
    told.last = progress;
    if (FINAL.includes(progress.status)) over.abort();
  };
  await api.events(`/captures/${encodeURIComponent(id)}/events`, {}, { onEvent, signal: over.signal });
  return told.last;
}

/**
 * Asks, and stops; of somebody else's share a reason can be given, and one's own can be deleted, too.
 *
 * @param {{api: Api, facts: Facts}} session
 * @param {BufferView} buffer
 */
export async function stop(session, buffer) {
  const { api } = session;
  const isOwn = session.facts.identity === buffer.sharer;
  const id = 'stop-reason';
  const field = h(
    'div',
    { class: 'field' },
    h('label', { for: id }, own.stopReason),
    h('input', { id, name: 'reason', maxlength: 200, autocomplete: 'off', dir: 'auto' }),
  );
  const erasing = h('label', { class: 'check' }, h('input', { type: 'checkbox', name: 'erase' }), own.stopErase);
  const answer = await ask({
    title: isOwn ? own.stopOwn : own.stopTitle(buffer.sharer),
    explain: isOwn ? own.stopOwnExplain : own.stopExplain,
    fields: [isOwn ? erasing : field],
    submit: own.stop,
    danger: true,
    act: async (data) => {
      const done = await api.post(`/buffers/${buffer.id}/stop`, { reason: typed(data, 'reason') });
      if (data.get('erase')) await api.delete(`/buffers/${buffer.id}`);
      return done;
    },
  });
  if (answer) tell(isOwn ? own.stoppedOwn : own.stopped(buffer.sharer));
}

/**
 * Asks how much of a share is to be deleted, and has it deleted: it can't be undone.
 *
 * @param {Api} api
 * @param {BufferView} buffer
 */
export async function erase(api, buffer) {
  const amount = (/** @type {string} */ value, /** @type {string} */ says, checked = false) =>
    h('label', { class: 'choice' }, h('input', { type: 'radio', name: 'amount', value, checked }), says);
  const answer = await ask({
    title: own.eraseTitle(buffer.sharer),
    explain: own.eraseExplain,
    fields: [amount('?last=60', own.eraseLast, true), amount('', own.eraseAll)],
    submit: own.erase,
    danger: true,
    act: (data) => api.delete(`/buffers/${buffer.id}${typed(data, 'amount')}`),
  });
  if (answer) tell(own.erased(buffer.sharer));
}

/**
 * @param {Api} api
 * @param {BufferView} buffer
 */
export async function resume(api, buffer) {
  try {
    /** @type {BufferView} */
    const { why } = await api.post(`/buffers/${buffer.id}/resume`);
    // The same as before only tells that the recorder has not looked yet.
    const isStillStopped = why?.startsWith('stopped-by-') && why !== buffer.why;
    const done = buffer.why === 'stopped-by-sharer' ? own.resumedOwn : own.resumed(buffer.sharer);
    tell(isStillStopped ? own.stillStopped(buffer.sharer) : done);
  } catch (error) {
    tellProblem(error);
  }
}
