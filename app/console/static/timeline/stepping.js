// One picture on, one back: a film doesn't say how long its pictures stand.

const UNKNOWN_SECONDS = 1 / 30;
const LONGEST_SECONDS = 1;
const PATIENCE_MS = 700;

/** Steps through the pictures of a <video>, whose length it learns as they are shown. */
export class Stepper {
  #shown = 0; // when the picture that is shown begins, in seconds of the film
  #count = 0;

  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.video = video;
    this.seconds = UNKNOWN_SECONDS;
    this.#watch();
  }

  /** The second of the film that the picture on the screen begins at. */
  get shown() {
    const { currentTime } = this.video;
    return Math.abs(currentTime - this.#shown) < LONGEST_SECONDS ? this.#shown : currentTime;
  }

  /** Shows the next picture (1) or the one before (-1). @param {1 | -1} direction */
  async step(direction) {
    this.video.pause();
    const from = this.shown;
    // In the middle of the neighbour, so that rounding never leads to another one; further if its
    // length was taken for less than it is.
    for (let reach = this.seconds; reach < LONGEST_SECONDS; reach += this.seconds) {
      const wanted = direction > 0 ? from + reach * 1.5 : from - reach * 0.5;
      await this.#show(Math.min(Math.max(wanted, 0), this.video.duration));
      if (Math.abs(this.#shown - from) > 0.001) return;
      if (wanted <= 0 || wanted >= this.video.duration) return;
    }
  }

  #watch() {
    if (!tellsFrames(this.video)) return;
    /** @type {VideoFrameRequestCallback} */
    const see = (_, { mediaTime, presentedFrames }) => {
      const passed = mediaTime - this.#shown;
      const next = presentedFrames === this.#count + 1 && !this.video.paused;
      if (next && passed > 0.001) this.seconds = Math.min(passed, UNKNOWN_SECONDS * 3);
      [this.#shown, this.#count] = [mediaTime, presentedFrames];
      this.video.requestVideoFrameCallback(see);
    };
    this.video.requestVideoFrameCallback(see);
  }

  /**
   * @param {number} second
   * @returns {Promise<void>}
   */
  #show(second) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, PATIENCE_MS);
      const done = () => (clearTimeout(timer), resolve());
      if (tellsFrames(this.video)) this.video.requestVideoFrameCallback(done);
      else this.video.addEventListener('seeked', done, { once: true });
      this.video.currentTime = second;
    });
  }
}

/** Whether a browser tells of each picture that it shows; not all do. @param {HTMLVideoElement} video */
export const tellsFrames = (video) => 'requestVideoFrameCallback' in video;
