// Instants and lengths in the viewer's words. Lengths are seconds.

import { h } from './dom.js';
import { language } from './language.js';

/**
 * RFC 3339, ms since 1970, or a Date.
 * @typedef {string | number | Date} Instant
 */

/** @satisfies {Intl.DateTimeFormatOptions} */
const CLOCK = /** @type {const} */ ({ hour: 'numeric', minute: '2-digit', second: '2-digit' });
const clockFormat = new Intl.DateTimeFormat(undefined, CLOCK);
const tenthsFormat = new Intl.DateTimeFormat(undefined, { ...CLOCK, fractionalSecondDigits: 1 });
const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** Time of day in the viewer's zone, to the second. @param {Instant} instant */
export const clock = (instant) => clockFormat.format(new Date(instant));

/** Time of day in the viewer's zone, to a tenth of a second. @param {Instant} instant */
export const clockTenths = (instant) => tenthsFormat.format(new Date(instant));

/** Day and time in the viewer's zone. @param {Instant} instant */
export const dayAndTime = (instant) => dayFormat.format(new Date(instant));

/** The same instant in UTC. @param {Instant} instant */
export const utc = (instant) => new Date(instant).toISOString().replace('T', ' ').replace('Z', ' UTC');

/**
 * A <time> in the viewer's zone with UTC at hand.
 *
 * @param {Instant} instant
 * @param {(instant: Date) => string} format
 */
export function time(instant, format = dayAndTime) {
  const at = new Date(instant);
  const title = format === fromNow ? `${dayAndTime(at)}, ${utc(at)}` : utc(at);
  return h('time', { datetime: at.toISOString(), title }, format(at));
}

const fromNowFormat = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
const STEPS = /** @type {const} */ ([['day', 86_400], ['hour', 3_600], ['minute', 60]]);

/**
 * How far an instant is from now, in the viewer's words: in 3 days, 5 minutes ago.
 *
 * @param {Instant} instant
 */
export function fromNow(instant) {
  const seconds = (new Date(instant).getTime() - Date.now()) / 1000;
  const step = STEPS.find(([, each]) => Math.abs(seconds) >= each);
  const [unit, size] = step ?? /** @type {const} */ (['second', 1]);
  return fromNowFormat.format(Math.trunc(seconds / size), unit);
}

/**
 * A length as a clock shows it: 0:07, 12:30, 1:02:03; `tenths` adds one digit.
 *
 * @param {number} seconds
 * @param {{tenths?: boolean}} options
 */
export function length(seconds, { tenths = false } = {}) {
  const all = Math.max(0, tenths ? Math.floor(seconds * 10 + 1e-6) / 10 : Math.round(seconds));
  const hours = Math.floor(all / 3600);
  const minutes = Math.floor((all % 3600) / 60);
  const rest = (all % 60).toFixed(tenths ? 1 : 0).padStart(tenths ? 4 : 2, '0');
  return hours
    ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}`
    : `${minutes}:${rest}`;
}

/**
 * How far back an instant lies, as on the strip: -0:34; half seconds only where they are.
 *
 * @param {number} seconds
 */
export function before(seconds, { tenths = Math.abs(seconds - Math.round(seconds)) > 0.05 } = {}) {
  return `-${length(seconds, { tenths })}`;
}

/**
 * A stretch in one unit, as people say it: 45 s, 17 min, 2 h.
 *
 * @param {number} seconds
 */
export function stretch(seconds) {
  const all = Math.max(0, Math.round(seconds));
  if (all < 60) return `${all} s`;
  return all < 3600 ? `${Math.floor(all / 60)} min` : `${Math.floor(all / 3600)} h`;
}

/** Bytes in the viewer's words. @param {number} count */
export function bytes(count) {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  const power = count ? Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), units.length - 1) : 2;
  return new Intl.NumberFormat(undefined, {
    style: 'unit',
    unit: units[power],
    unitDisplay: 'short',
    maximumFractionDigits: power > 1 ? 1 : 0,
  }).format(count / 1000 ** power);
}

/**
 * The beginning of a day, as a date field gives it, in the viewer's zone: an instant, `days` later.
 *
 * @param {string | null | undefined} day
 */
export function midnight(day, days = 0) {
  const [, year, month, date] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day ?? '') ?? [];
  return year ? new Date(Number(year), Number(month) - 1, Number(date) + days).toISOString() : undefined;
}
