// What an entry of the audit says, as a sentence, and where what it is about is to be seen. Pure.

import { called, texts } from '../texts.js';

/** @import { AuditView } from '../../types.js' */

const own = texts.admin.audit;
const WHOSE = ['sharer', 'shared_by', 'owner'];
const SAID = [...WHOSE, 'clip_id'];
const OF_SHARES = ['recording_stopped', 'recording_resumed'];
const OF_CLIPS = [
  'clip_changed',
  'clip_converted',
  'clip_restored',
  'clip_shared',
  'deletion_requested',
  'rendition_deleted',
];

/**
 * Who did what to whose thing.
 *
 * @param {Pick<AuditView, 'action' | 'done_by' | 'subject' | 'data'>} entry
 */
export function sentence({ action, done_by: who, subject, data }) {
  const whom = WHOSE.map((name) => data[name]).find((name) => typeof name === 'string' && name);
  const say = called(own.sentences, action);
  return say ? say(who || own.service, String(whom ?? subject)) : `${who || own.service}: ${action}`;
}

/**
 * The fragment of the page of what an entry is about; null if it has none.
 *
 * @param {Pick<AuditView, 'action' | 'subject' | 'data'>} entry
 */
export function placeOf({ action, subject, data: { clip_id: clip } }) {
  if (action === 'captured' && typeof clip === 'string') return `#/clips/${encodeURIComponent(clip)}`;
  const page = OF_SHARES.includes(action) ? 'buffers' : OF_CLIPS.includes(action) ? 'clips' : null;
  return page && `#/${page}/${encodeURIComponent(subject)}`;
}

/**
 * What is noted beside it, and neither said by the sentence nor linked.
 *
 * @param {AuditView['data']} data
 */
export function rest(data) {
  const isEmpty = (/** @type {unknown} */ value) =>
    value === null || value === '' || (Array.isArray(value) && !value.length);
  return Object.entries(data).filter(([name, value]) => !SAID.includes(name) && !isEmpty(value));
}
