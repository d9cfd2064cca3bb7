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

/** {badge, tone, says, todo}; `says` is empty where the badge says it all. */
export function stateOf(buffer) {
  const { state, why } = buffer;
  const badge = own.states[state] ?? state;
  const tone = TONES[state] ?? 'warn';
  const reason = state === 'recording' || state === 'ended' ? null : (own.why[why] ?? own[state]);
  if (!reason?.says) return { badge, tone, says: '', todo: '' };
  const detail = buffer.why_detail;
  const says = typeof reason.says === 'function' ? reason.says(detail) : reason.says;
  const stopped = why?.startsWith('stopped-by-') && detail;
  const retry = buffer.retry_at && state !== 'refused' ? own.retry(clock(buffer.retry_at)) : '';
  return {
    badge,
    tone,
    says: stopped ? own.because(says, detail) : says,
    todo: [reason.todo, retry].filter(Boolean).join(' '),
  };
}

/** How long ago, in the words of a card. */
export function ago(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return own.newest.seconds(seconds);
  if (seconds < 3600) return own.newest.minutes(Math.floor(seconds / 60));
  return own.newest.hours(Math.floor(seconds / 3600));
}
