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
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120].map((minutes) => minutes * MINUTE_MS);
const LONGEST_STEP = 360 * MINUTE_MS;

/**
 * Round instants, in milliseconds, within [from, to]: about `count`, if they are not too many.
 *
 * @param {number} from
 * @param {number} to
 * @param {number} count
 */
export function roundInstants(from, to, count) {
  const step = STEPS.find((each) => (to - from) / each <= count) ?? LONGEST_STEP;
  const first = Math.ceil(from / step) * step;
  return Array.from(
    { length: Math.max(0, Math.floor((to - first) / step) + 1) },
    (_, place) => first + place * step,
  );
}
