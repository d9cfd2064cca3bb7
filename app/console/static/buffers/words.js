// What there is to say of a buffer's state, in words. Pure.

import { called, texts } from '../texts.js';
import { clock } from '../times.js';

/** @import { BufferView } from '../../types.js' */

const own = texts.buffers;

const ALL = 'all';
/** The states that a viewer filters by. @type {Record<string, string[]>} */
export const GROUPS = {
  live: ['recording', 'starting'],
  attention: ['waiting', 'lagging', 'stalled', 'refused'],
  ended: ['ended'],
};

/** The group that is called so; all, if none is. @param {string | null} name */
export const groupCalled = (name) => (name !== null && Object.hasOwn(GROUPS, name) ? name : ALL);

/**
 * Whether a share in a state is of a group.
 *
 * @param {string} group
 * @param {{state: string}} buffer
 */
export const isOf = (group, { state }) => group === ALL || GROUPS[group].includes(state);

/** @type {Record<string, string>} */
const TONES = { recording: 'live', starting: 'soft', ended: 'soft', refused: 'bad' };

/**
 * {badge, tone, says, reason, todo} for `viewer` at `now`, in ms; `says` is empty where the badge says it
 * all, `reason` where whoever stopped it gave none.
 *
 * @param {Pick<BufferView, 'state' | 'why' | 'why_detail' | 'retry_at' | 'sharer'>} buffer
 * @param {string} viewer
 * @param {number} now
 */
export function stateOf(buffer, viewer, now) {
  const { state, why } = buffer;
  const badge = called(own.states, state) ?? state;
  const tone = called(TONES, state) ?? 'warn';
  const words = state === 'recording' || state === 'ended' ? null : reasonOf(buffer, viewer);
  if (!words?.says) return { badge, tone, says: '', reason: '', todo: '' };
  const detail = buffer.why_detail;
  const says = typeof words.says === 'function' ? words.says(detail) : words.says;
  const stopped = why?.startsWith('stopped-by-') && detail;
  const next = Date.parse(buffer.retry_at ?? '');
  const retry = state === 'waiting' && next > now ? own.retry(clock(next)) : '';
  return {
    badge,
    tone,
    says,
    reason: stopped ? own.reason(detail) : '',
    todo: [words.todo, retry].filter(Boolean).join(' '),
  };
}

/**
 * @param {Pick<BufferView, 'state' | 'why' | 'sharer'>} buffer
 * @param {string} viewer
 * @returns {{says: string | ((detail: string) => string), todo: string} | undefined}
 */
function reasonOf({ state, why, sharer }, viewer) {
  if (why === 'stopped-by-sharer' && sharer === viewer) return own.stoppedByYou;
  return called(own.why, why ?? '') ?? called({ lagging: own.lagging, stalled: own.stalled }, state);
}

/**
 * Why a share is recorded in a cheaper encoding than configured, and in which; empty if it is not.
 *
 * @param {Pick<BufferView, 'encoding' | 'encoding_why'>} buffer
 */
export function encodingOf({ encoding, encoding_why: why }) {
  const says = called(own.encoding, why ?? '');
  return encoding && says ? says(encodingName(encoding)) : '';
}

/** `1280x720@15:1500` and `H264_720P_30` as `720p15` and `720p30`. @param {string} encoding */
function encodingName(encoding) {
  const [, width, height, fps] = /^(\d+)x(\d+)@(\d+):/.exec(encoding) ?? [];
  if (fps) return `${Math.min(Number(width), Number(height))}p${fps}`;
  const [, lines, rate] = /_(\d+P)_(\d+)$/.exec(encoding) ?? [];
  return rate ? `${lines.toLowerCase()}${rate}` : encoding;
}

/** How long ago, in the words of a card. @param {number} milliseconds */
export function ago(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return own.newest.seconds(seconds);
  if (seconds < 3600) return own.newest.minutes(Math.floor(seconds / 60));
  return own.newest.hours(Math.floor(seconds / 3600));
}
