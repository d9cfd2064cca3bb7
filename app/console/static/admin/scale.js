// Round numbers for axes. Pure.

/**
 * About `count` round values from 0 to at least `most`.
 *
 * @param {number} most
 * @param {number} count
 */
export function roundValues(most, count) {
  const rough = (most || 1) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((each) => each * power >= rough) ?? 10);
  return Array.from({ length: Math.ceil((most || 1) / step - 1e-9) + 1 }, (_, place) => place * step);
}

const MINUTE_MS = 60_000;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 360, 720].map((minutes) => minutes * MINUTE_MS);
export const DAY_MS = 1440 * MINUTE_MS;

/**
 * Round instants, in milliseconds, within [from, to]: about `count`, of the clock of a zone that is
 * `zone` milliseconds ahead of UTC.
 *
 * @param {number} from
 * @param {number} to
 * @param {number} count
 */
export function roundInstants(from, to, count, zone = 0) {
  const days = Math.max(1, Math.ceil((to - from) / DAY_MS / count));
  const step = STEPS.find((each) => (to - from) / each <= count) ?? days * DAY_MS;
  const first = Math.ceil((from + zone) / step) * step - zone;
  return Array.from(
    { length: Math.max(0, Math.floor((to - first) / step) + 1) },
    (_, place) => first + place * step,
  );
}
