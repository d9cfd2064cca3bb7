// The small pictures of a clip: the index that finds them on their sheet, and how one is shown.

import { Problem } from '../api.js';
import { set } from '../dom.js';
import { cuesOf } from '../pictures.js';

const sheets = new Map(); // url: a promise of the loaded sheet
const SHEETS_KEPT = 20;

/**
 * The pictures that a WebVTT index names: [{start, end, url, x, y, width, height}], times in
 * seconds, places in pixels of the sheet. Throws Problem.
 */
export async function pictures(url, signal) {
  let answer;
  try {
    answer = await fetch(url, { signal });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0, { type: 'unreachable', detail: error.message });
  }
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
  return cuesOf(await answer.text(), url);
}

/** The picture that is shown at a time. */
export function pictureAt(all, at) {
  return all.find((each) => at < each.end) ?? all.at(-1);
}

/** Shows a picture as the background of an element, as large as the element is. */
export async function show(element, picture) {
  const sheet = await loaded(picture.url);
  const share = (offset, whole, part) => (whole > part ? (offset / (whole - part)) * 100 : 0);
  const [wide, high] = [sheet.naturalWidth, sheet.naturalHeight];
  element.style.aspectRatio = `${picture.width} / ${picture.height}`;
  element.style.backgroundImage = `url("${picture.url}")`;
  element.style.backgroundSize = `${(wide / picture.width) * 100}% ${(high / picture.height) * 100}%`;
  element.style.backgroundPosition = `${share(picture.x, wide, picture.width)}% ${share(picture.y, high, picture.height)}%`;
}

function loaded(url) {
  if (!sheets.has(url)) {
    const image = new Image();
    set(image, { src: url });
    sheets.set(
      url,
      image.decode().then(() => image),
    );
    if (sheets.size > SHEETS_KEPT) sheets.delete(sheets.keys().next().value);
  }
  return sheets.get(url);
}
