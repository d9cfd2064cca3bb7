// The index of small pictures, which a buffer and a clip each have: WebVTT that names places on sheets.

const CUE = /^([\d:.]+) --> ([\d:.]+)\r?\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm;

/** [{start, end, url, x, y, width, height}]: seconds, and pixels of the sheet at `url`. */
export function cuesOf(text, base) {
  return [...text.matchAll(CUE)].map(([, start, end, url, ...place]) => {
    const [x, y, width, height] = place.map(Number);
    return { start: seconds(start), end: seconds(end), url: new URL(url, base).href, x, y, width, height };
  });
}

const seconds = (stamp) => stamp.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
