// A part of a clip, chosen on a strip of its pictures, made into a clip of its own, or put in the clip's place.

import { fill, h } from '../dom.js';
import { freshKey } from '../fresh_key.js';
import { insistently, isPassing } from '../insisting.js';
import { inWords, tellProblem } from '../telling.js';
import { FINAL, Problem } from '../api.js';
import { Axis } from '../timeline/axis.js';
import { captureJob } from '../timeline/capture_job.js';
import { follow } from '../timeline/following.js';
import { gestures } from '../timeline/gestures.js';
import { hoverCard } from '../timeline/hover.js';
import { Selection } from '../timeline/selection.js';
import { placed } from '../timeline/sprites.js';
import { Stepper } from '../timeline/stepping.js';
import { Track } from '../timeline/track.js';
import { length } from '../times.js';
import { texts } from '../texts.js';
import { pictures } from './pictures.js';

/**
 * @import { CaptureView, ClipView, Promised, TrimRequest } from '../../types.js'
 * @import { Api } from '../api.js'
 * @import { Progress } from '../timeline/capture_job.js'
 * @import { Sprite } from '../timeline/sprites.js'
 * @import { Strip } from '../timeline/track.js'
 */

const own = texts.library.trim;

/**
 * {element, close()}. `video` shows the clip: it follows the ends as they are dragged. Instants are ms of
 * the clip's play time.
 *
 * @param {ClipView} clip
 * @param {{api: Api, video: HTMLVideoElement, longest: number, onReplaced: (trim: ClipView) => Promise<void>}} options
 *   `longest`: of a title; `onReplaced(trim)` is called when a trim is there that is to be in the clip's place
 */
export function trimmerOf(clip, { api, video, longest, onReplaced }) {
  const ending = new AbortController();
  const { signal } = ending;
  const whole = Math.round(clip.delivered.duration_seconds * 1000);
  const extent = { oldest: 0, recent: 0, newest: whole };
  const selection = new Selection(() => extent, whole);
  const axis = new Axis(() => extent, { least: 0, margin: 0, zero: 0 });
  const sprites = new Pictures();
  const said = (/** @type {number} */ instant) => length(instant / 1000, { tenths: true });
  /** @type {Strip} */
  const strip = {
    selection,
    axis,
    sprites,
    sound: null,
    words: { at: said, tick: (at) => length(at / 1000, { tenths: at % 1000 > 0 && at < whole }), hover: said },
    buffer: {
      extent,
      spans: [
        {
          session_id: clip.id,
          start: 0,
          end: whole,
          audio: clip.audio,
          width: clip.width,
          height: clip.height,
          encoding: null,
        },
      ],
      gaps: [],
      forgotten: [],
      markers: [],
      gapAt: () => undefined,
    },
    player: playerOf(video),
  };
  const track = new Track(strip);
  const card = hoverCard(strip);
  gestures(track, strip, card.show);
  const chosen = h('output', { class: 'note', 'aria-label': own.selection });
  const title = h('input', { name: 'title', maxlength: longest, value: clip.title, placeholder: own.titleHint, autocomplete: 'off', dir: 'auto', 'aria-label': own.title });
  const exact = h('input', { type: 'checkbox', name: 'exact' });
  const wrong = h('p', { class: 'bad-text', role: 'alert', hidden: true });
  const submit = h('button', { class: 'primary' }, own.submit);
  const replace = h('button', { type: 'button', onclick: () => void send(true) }, own.replace);
  const jobs = h('ul', { class: 'jobs' });
  /** @type {{named: string, key: string} | null} */
  let pending = null; // a request whose outcome is not known yet
  let until = Infinity; // where a preview ends
  let replacing = false; // one is on its way to the clip's place

  selection.addEventListener('change', () => {
    until = Infinity;
    track.drawSelection();
    show();
  });
  axis.addEventListener('change', track.drawAll);
  sprites.addEventListener('change', track.drawAll);
  video.addEventListener('timeupdate', passed, { signal });
  selection.choose(0, whole);
  show();
  void sprites.load(api.url(clip.thumbnails_url), signal).then(undefined, () => {}); // the strip does without

  function passed() {
    track.drawPlayhead();
    if (video.currentTime * 1000 < until) return;
    video.pause();
    video.currentTime = until / 1000; // it was told of some pictures late
    until = Infinity;
  }

  function preview() {
    until = selection.end;
    video.currentTime = selection.start / 1000;
    video.play().catch(() => {}); // a browser that forbids it shows its button
  }

  function show() {
    const { start, end } = selection;
    chosen.textContent = own.range(said(start), said(end), said(end - start));
    submit.disabled = end - start >= whole;
    replace.disabled = submit.disabled || replacing;
  }

  /** @param {string} words */
  function tell(words) {
    wrong.hidden = !words;
    wrong.textContent = words;
  }

  /** @param {boolean} inPlace */
  async function send(inPlace) {
    const { start, end } = selection;
    /** @type {TrimRequest} */
    const body = {
      start: start / 1000,
      end: end / 1000,
      cut: exact.checked ? 'exact' : 'precise',
      title: title.value,
      in_place: inPlace,
    };
    const named = JSON.stringify(body);
    // Pressed again for the same after an answer was lost, it is the same request.
    if (pending?.named !== named) pending = { named, key: freshKey() };
    const { key } = pending;
    submit.disabled = replace.disabled = true;
    tell('');
    try {
      /** @type {() => Promise<Promised>} */
      const asked = () => api.post(`/clips/${clip.id}/trim`, body, { 'Idempotency-Key': key });
      const { id } = await insistently(asked, () => tell(texts.timeline.capture.again));
      pending = null;
      replacing ||= inPlace;
      tell('');
      await add(id, inPlace);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (!isPassing(error)) pending = null;
      tell(error.status === 0 ? texts.timeline.capture.unknownOutcome : inWords(error));
    } finally {
      show();
    }
  }

  /**
   * @param {string} id
   * @param {boolean} inPlace
   */
  async function add(id, inPlace) {
    const path = `/captures/${encodeURIComponent(id)}`;
    /** @type {CaptureView} */
    const told = await api.get(path);
    const dismiss = () => job.element.remove();
    const job = captureJob({ api, id, told, fresh: false, dismiss });
    jobs.prepend(job.element);
    /** @param {Progress} progress */
    const tellOf = (progress) => {
      job.show(progress);
      if (!inPlace || (progress.status !== 'lost' && !FINAL.includes(progress.status))) return;
      const over = progress.clip ? onReplaced(progress.clip) : Promise.resolve();
      void over.finally(() => {
        replacing = false;
        show();
      });
    };
    void follow(api, path, tellOf, signal).catch(tellProblem);
  }

  const here = (/** @type {string} */ label, /** @type {(instant: number) => void} */ move) =>
    h('button', { type: 'button', onclick: () => move(video.currentTime * 1000) }, label);
  const form = h(
    'form',
    { onsubmit: (event) => (event.preventDefault(), void send(false)) },
    h(
      'div',
      { class: 'row' },
      here(own.startHere, (instant) => selection.moveStart(instant)),
      here(own.endHere, (instant) => selection.moveEnd(instant)),
      h('button', { type: 'button', onclick: preview }, own.preview),
      chosen,
    ),
    h('div', { class: 'row' }, title, h('label', { class: 'check' }, exact, own.exact), replace, submit),
    h('p', { class: 'hint' }, own.explain),
    wrong,
  );
  const element = h('section', { class: 'card trimming', 'aria-label': own.heading });
  fill(element, h('div', { class: 'stage-area' }, card.element, track.element), form, jobs);
  const close = () => {
    ending.abort();
    track.close();
  };
  return { element, close };
}

/**
 * A <video> as what a strip is played by.
 *
 * @param {HTMLVideoElement} video
 * @returns {Strip['player']}
 */
function playerOf(video) {
  const seek = (/** @type {number} */ instant) => void (video.currentTime = instant / 1000);
  return {
    scrubbing: false,
    stepper: new Stepper(video),
    get instant() {
      return video.currentTime * 1000;
    },
    seek,
    scrub(instant) {
      video.pause();
      seek(instant);
    },
    settle() {},
  };
}

/** The pictures of a clip as a strip shows them. Tells `change` when they are there. */
class Pictures extends EventTarget {
  /** @type {Sprite[]} */
  #cues = [];

  /**
   * @param {string} url
   * @param {AbortSignal} signal
   */
  async load(url, signal) {
    this.#cues = placed(await pictures(url, signal), 0);
    this.dispatchEvent(new Event('change'));
  }

  /** @param {number} instant */
  at(instant) {
    return this.#cues.find((cue) => cue.start <= instant && instant < cue.end) ?? null;
  }
}
