// The index of small pictures, which a buffer and a clip each have: WebVTT that names places on sheets.

const CUE = /^([\d:.]+) --> ([\d:.]+)\r?\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm;

/**
 * A picture: when it stands, in seconds, and its place on the sheet at `url`, in pixels.
 * @typedef {{start: number, end: number, url: string, x: number, y: number, width: number,
 *   height: number}} Cue
 */

/**
 * The pictures that an index names.
 *
 * @param {string} text
 * @param {string} base the index's URL
 * @returns {Cue[]}
 */
export function cuesOf(text, base) {
  return [...text.matchAll(CUE)].map(([, start, end, url, ...place]) => {
    const [x, y, width, height] = place.map(Number);
    return { start: seconds(start), end: seconds(end), url: new URL(url, base).href, x, y, width, height };
  });
}

/** @param {string} stamp */
const seconds = (stamp) => stamp.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
