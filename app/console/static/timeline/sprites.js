// The buffer's small pictures: which part of which sprite sheet shows an instant.

import { Problem } from '../api.js';
import { cuesOf } from '../pictures.js';

const AT_MOST_MS = 10_000; // between two looks for new ones: each asks for a sheet of its own

/**
 * The pictures of a WatchedBuffer. Tells `change` when there are more.
 *
 * What came since the last look is asked for alone, so that a sheet is drawn, and loaded, once.
 */
export class Sprites extends EventTarget {
  #pieces = []; // [{end, cues}], in order of time
  #askedAt = 0;
  #asking = false;

  constructor(buffer) {
    super();
    this.buffer = buffer;
  }

  /** {url, x, y, width, height, sheetWidth, sheetHeight} of the picture of an instant, if any. */
  at(instant) {
    for (const piece of this.#pieces) {
      if (instant >= piece.end) continue;
      return piece.cues.find((cue) => cue.start <= instant && instant < cue.end) ?? null;
    }
    return null;
  }

  /** Asks for those that have come since. */
  async keepUp() {
    const { oldest, newest } = this.buffer.extent;
    const from = Math.max(this.#pieces.at(-1)?.end ?? oldest, oldest);
    const wait = this.#askedAt + AT_MOST_MS - Date.now();
    if (this.#asking || wait > 0 || newest - from < 1_000 || document.hidden) return;
    this.#asking = true;
    this.#askedAt = Date.now();
    try {
      await this.#ask(from, newest);
    } catch (error) {
      // The timeline does without them: they are asked for again with the next segment.
      if (!(error instanceof Problem)) throw error;
    } finally {
      this.#asking = false;
    }
  }

  async #ask(from, to) {
    const query = { start: new Date(from).toISOString(), end: new Date(to).toISOString() };
    const path = `/buffers/${encodeURIComponent(this.buffer.id)}/thumbnails.vtt`;
    const answer = await this.buffer.api.answer(path, query);
    const cues = parse(await answer.text(), answer.url);
    if (!(await loads(cues[0].url))) return; // it is asked for again, as those that come are
    const { oldest } = this.buffer.extent;
    this.#pieces = this.#pieces.filter((piece) => piece.end > oldest);
    this.#pieces.push({ end: to, cues });
    this.dispatchEvent(new Event('change'));
  }
}

/** The cues of a buffer's index, on the wall clock. */
export function parse(text, base) {
  const begin = Date.parse(/^NOTE start (\S+)$/m.exec(text)[1]);
  const cues = cuesOf(text, base);
  const sheetWidth = Math.max(...cues.map((cue) => cue.x + cue.width));
  const sheetHeight = Math.max(...cues.map((cue) => cue.y + cue.height));
  return cues.map((cue) => ({
    ...cue,
    start: begin + cue.start * 1000,
    end: begin + cue.end * 1000,
    sheetWidth,
    sheetHeight,
  }));
}

/** Whether a sheet is there: it is drawn at low priority, and a busy service says no. */
async function loads(url) {
  const sheet = new Image();
  sheet.src = url;
  return sheet.decode().then(
    () => true,
    () => false,
  );
}

/** Shows a picture in an element of a size in pixels: all of the element is covered by it. */
export function paint(element, cue, width, height) {
  const scale = Math.max(width / cue.width, height / cue.height);
  const left = (width - cue.width * scale) / 2 - cue.x * scale;
  const top = (height - cue.height * scale) / 2 - cue.y * scale;
  Object.assign(element.style, {
    backgroundImage: `url("${cue.url}")`,
    backgroundSize: `${cue.sheetWidth * scale}px ${cue.sheetHeight * scale}px`,
    backgroundPosition: `${left}px ${top}px`,
  });
}
