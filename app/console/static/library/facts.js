// What a clip holds, said beside what was asked for.

import { h } from '../dom.js';
import { bytes, clockTenths, fromNow, length, time } from '../times.js';
import { called, texts } from '../texts.js';
import { copy } from './copying.js';

/**
 * @import { ClipGapView, ClipView } from '../../types.js'
 * @import { Child } from '../dom.js'
 */

const own = texts.library.facts;
const TAIL_TOLD = 0.05; // seconds: less than a picture of most shares

/** A clip's facts, as a list of terms. @param {ClipView} clip */
export function factsOf(clip) {
  const { delivered } = clip;
  const notes = clip.notes.map((note) => called(own.noteWords, note) ?? note);
  return h(
    'div',
    { class: 'clip-facts' },
    clip.gaps.length > 0 && coverage(clip),
    h(
      'dl',
      {},
      row(own.whose, clip.sharer),
      row(own.room, clip.room),
      row(own.owner, clip.owner),
      clip.trimmed_from && row(own.trimmed, h('a', { href: `#/clips/${encodeURIComponent(clip.trimmed_from)}` }, own.original)),
      clip.moment_id && row(own.moment, h('a', { href: `#/clips?moment=${encodeURIComponent(clip.moment_id)}` }, own.together)),
      row(own.made, time(clip.created_at, fromNow)),
      row(own.life, life(clip)),
      row(own.size, `${length(delivered.duration_seconds)}, ${bytes(clip.size_bytes)}`),
      clip.gaps.length > 0 && row(own.gaps, gaps(clip.gaps)),
      notes.length > 0 && row(own.notes, list(notes)),
    ),
    technical(clip),
  );
}

/** What engineers ask for, folded up. @param {ClipView} clip */
function technical(clip) {
  const { requested, delivered } = clip;
  const asked = (Date.parse(requested.end) - Date.parse(requested.start)) / 1000;
  return h(
    'details',
    {},
    h('summary', {}, own.more),
    h(
      'dl',
      {},
      row(own.requested, between(requested), ` (${length(asked, { tenths: true })})`),
      row(own.delivered, between(delivered), ` (${length(delivered.duration_seconds, { tenths: true })})`),
      tail(clip) && row(own.tail, tail(clip)),
      clip.hidden_head_seconds > 0 && row(own.hidden, own.hiddenHead(clip.hidden_head_seconds.toFixed(1))),
      row(own.picture, `${clip.width} × ${clip.height}, ${clip.audio ? own.sound : own.silent}`),
      row(own.cut, called(own.cuts, clip.cut) ?? clip.cut),
      row(own.clock, called(own.clocks, clip.clock) ?? clip.clock),
      row(own.checksum, checksum(clip)),
    ),
  );
}

/**
 * The asked window as a bar: what of it the clip shows, where the gaps are. In words it is below.
 *
 * @param {ClipView} clip
 */
function coverage(clip) {
  const [start, end] = [Date.parse(clip.requested.start), Date.parse(clip.requested.end)];
  /**
   * @param {HTMLElement} element
   * @param {string} from
   * @param {string} until
   */
  const place = (element, from, until) => {
    const share = (/** @type {string} */ at) =>
      Math.min(100, Math.max(0, ((Date.parse(at) - start) / (end - start)) * 100));
    element.style.left = `${share(from)}%`;
    element.style.width = `${share(until) - share(from)}%`;
    return element;
  };
  if (!(end > start)) return null;
  return h(
    'div',
    { class: 'clip-coverage', 'aria-hidden': 'true' },
    place(h('span', { class: 'there' }), clip.delivered.start, clip.delivered.end),
    clip.gaps.map((gap) => place(h('span', { class: 'gap' }), gap.start, gap.end)),
  );
}

/** @param {ClipGapView[]} all */
function gaps(all) {
  return list(
    all.map((gap) => {
      const seconds = (Date.parse(gap.end) - Date.parse(gap.start)) / 1000;
      const why = called(own.gapWords, gap.why) ?? gap.why;
      return [time(gap.start, clockTenths), ' ', own.gap(length(seconds, { tenths: true }), why, gap.kept)];
    }),
  );
}

/** @param {ClipView} clip */
function tail(clip) {
  const seconds = clip.tail_lag_seconds;
  const late = clip.notes.includes('end-clamped');
  // Only a precise cut has to leave out what was there.
  if (seconds <= TAIL_TOLD || !(late || clip.cut === 'precise')) return null;
  return (late ? own.tailMissing : own.tailLeans)(seconds.toFixed(seconds < 0.1 ? 2 : 1));
}

/** @param {ClipView} clip */
function life(clip) {
  if (clip.keep) return own.kept;
  return clip.expires_at ? [time(clip.expires_at), ` (${fromNow(clip.expires_at)})`] : own.forever;
}

/** @param {ClipView} clip */
function checksum({ checksum: whole }) {
  if (!whole) return own.noChecksum;
  const shown = h('code', { title: whole }, `${whole.slice(0, 19)}…`);
  const onclick = () => void copy(whole, shown, own.copied);
  return h(
    'span',
    { class: 'row' },
    shown,
    h('button', { class: 'plain', onclick, 'aria-label': own.copyChecksum }, own.copy),
  );
}

/** @param {{start: string, end: string}} window */
const between = ({ start, end }) => [time(start, clockTenths), ' – ', time(end, clockTenths)];
/** @param {Child[]} items */
const list = (items) =>
  items.length === 1
    ? items[0]
    : h(
        'ul',
        {},
        items.map((each) => h('li', {}, each)),
      );
/**
 * @param {string} term
 * @param {Child[]} told
 */
const row = (term, ...told) => h('div', {}, h('dt', {}, term), h('dd', {}, told));
