// How near a picture stays to the newest moment, of which there is more only now and then. Pure; in ms.

const SPARE_MS = 500; // what a segment may come late by
const LATE_MS = 1_000; // what is caught up with by going faster
const FAR_MS = 4_000; // what is not worth watching: it is left out
const FASTER = 1.08;

/**
 * How far behind the newest moment it is begun, when segments are up to `longest` long: at this
 * distance the next one is there before the last has been shown.
 *
 * @param {number} longest
 */
export const distance = (longest) => longest * 1.5 + SPARE_MS;

/**
 * What a picture does that shows the instant `shown`, where there is media up to `newest`.
 *
 * @param {number} shown
 * @param {number} newest
 * @param {number} longest
 */
export function edge(shown, newest, longest) {
  const late = newest - shown - distance(longest);
  if (late > longest + FAR_MS) return { seek: true, rate: 1 };
  return { seek: false, rate: late > LATE_MS ? FASTER : 1 };
}
