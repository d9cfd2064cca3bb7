// What a playlist of the service's says. Pure; instants are ms since 1970.

/**
 * One segment: its name, which stays the same while the signature of its URL does not, where it begins.
 * @typedef {{name: string, url: string, start: number, seconds: number}} Segment
 */

/**
 * What goes on without a break, under one init segment.
 * @typedef {{init: string, segments: Segment[]}} Part
 */

/**
 * The parts of a playlist that was read at the URL `base`, in order of time.
 *
 * @param {string} text
 * @param {string} base
 */
export function partsOf(text, base) {
  /** @type {Part[]} */
  const parts = [];
  let [start, seconds] = [0, 0];
  for (const line of text.split('\n')) {
    const [, tag, value] = /^#(EXT-X-MAP|EXT-X-PROGRAM-DATE-TIME|EXTINF):(.*)$/.exec(line) ?? [];
    if (tag === 'EXT-X-MAP') {
      const uri = /URI="([^"]*)"/.exec(value)?.[1] ?? '';
      parts.push({ init: new URL(uri, base).href, segments: [] });
    } else if (tag === 'EXT-X-PROGRAM-DATE-TIME') start = Date.parse(value);
    else if (tag === 'EXTINF') seconds = Number.parseFloat(value);
    else if (line && !line.startsWith('#')) {
      const { href, pathname } = new URL(line, base);
      parts.at(-1)?.segments.push({ name: pathname, url: href, start, seconds });
      start += seconds * 1000;
    }
  }
  return parts.filter(({ segments }) => segments.length);
}

/** When a segment ends. @param {Segment} segment */
export const endOf = ({ start, seconds }) => start + seconds * 1000;

/**
 * What of a part comes after the segment that is called `last`; null if it does not have that one.
 *
 * @param {Part} part
 * @param {string | null} last
 */
export function newerThan({ segments }, last) {
  const place = segments.findIndex(({ name }) => name === last);
  return place < 0 ? null : segments.slice(place + 1);
}
