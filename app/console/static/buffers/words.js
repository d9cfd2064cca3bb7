// What there is to say of a buffer's state, in words. Pure.

import { texts } from '../texts.js';
import { clock } from '../times.js';

const own = texts.buffers;

/** The states that a viewer filters by. */
export const GROUPS = {
  live: ['recording', 'starting'],
  attention: ['waiting', 'lagging', 'stalled', 'refused'],
  ended: ['ended'],
};
const TONES = { recording: 'good', starting: 'soft', ended: 'soft', refused: 'bad' };

/** {badge, tone, says, todo} for `viewer` at `now`, in ms; `says` is empty where the badge says it all. */
export function stateOf(buffer, viewer, now) {
  const { state, why } = buffer;
  const badge = own.states[state] ?? state;
  const tone = TONES[state] ?? 'warn';
  const reason = state === 'recording' || state === 'ended' ? null : reasonOf(buffer, viewer);
  if (!reason?.says) return { badge, tone, says: '', todo: '' };
  const detail = buffer.why_detail;
  const says = typeof reason.says === 'function' ? reason.says(detail) : reason.says;
  const stopped = why?.startsWith('stopped-by-') && detail;
  const isTried = state === 'waiting' && Date.parse(buffer.retry_at ?? '') > now;
  const retry = isTried ? own.retry(clock(buffer.retry_at)) : '';
  return {
    badge,
    tone,
    says: stopped ? (reason === own.stoppedByYou ? own.becauseYou : own.because)(says, detail) : says,
    todo: [reason.todo, retry].filter(Boolean).join(' '),
  };
}

function reasonOf({ state, why, identity }, viewer) {
  if (why === 'stopped-by-sharer' && identity === viewer) return own.stoppedByYou;
  return own.why[why] ?? own[state];
}

/** How long ago, in the words of a card. */
export function ago(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return own.newest.seconds(seconds);
  if (seconds < 3600) return own.newest.minutes(Math.floor(seconds / 60));
  return own.newest.hours(Math.floor(seconds / 3600));
}
