// The small pictures of a clip: the index that finds them on their sheet, and how one is shown.

import { Problem, isAborted, unreachable } from '../api.js';
import { set } from '../dom.js';
import { cuesOf } from '../pictures.js';

/** @import { Cue } from '../pictures.js' */

/** @type {Map<string, Promise<HTMLImageElement>>} */
const sheets = new Map(); // by URL
const SHEETS_KEPT = 20;

/**
 * The pictures that a WebVTT index names. Throws Problem.
 *
 * @param {string} url
 * @param {AbortSignal} signal
 */
export async function pictures(url, signal) {
  const answer = await fetch(url, { signal }).catch((error) => {
    throw isAborted(error) ? error : unreachable(error);
  });
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
  return cuesOf(await answer.text(), url);
}

/**
 * The picture that is shown at a time, of which there is at least one.
 *
 * @param {Cue[]} all
 * @param {number} at
 */
export function pictureAt(all, at) {
  return all.find((each) => at < each.end) ?? all[all.length - 1];
}

/**
 * Shows a picture as the background of an element, as large as the element is.
 *
 * @param {HTMLElement} element
 * @param {Cue} picture
 */
export async function show(element, picture) {
  const sheet = await loaded(picture.url);
  /**
   * @param {number} offset
   * @param {number} whole
   * @param {number} part
   */
  const share = (offset, whole, part) => (whole > part ? (offset / (whole - part)) * 100 : 0);
  const [wide, high] = [sheet.naturalWidth, sheet.naturalHeight];
  element.style.aspectRatio = `${picture.width} / ${picture.height}`;
  element.style.backgroundImage = `url("${picture.url}")`;
  element.style.backgroundSize = `${(wide / picture.width) * 100}% ${(high / picture.height) * 100}%`;
  element.style.backgroundPosition = `${share(picture.x, wide, picture.width)}% ${share(picture.y, high, picture.height)}%`;
}

/** @param {string} url */
function loaded(url) {
  const known = sheets.get(url);
  if (known) return known;
  const image = new Image();
  set(image, { src: url });
  const sheet = image.decode().then(() => image);
  sheets.set(url, sheet);
  const [oldest] = sheets.keys();
  if (sheets.size > SHEETS_KEPT) sheets.delete(oldest);
  return sheet;
}
