// Asking for clips of one moment of all shares.

import { FINAL, Problem } from '../api.js';
import { pathName } from '../admin/names.js';
import { fill, h, set } from '../dom.js';
import { freshKey } from '../fresh_key.js';
import { insistently, isPassing } from '../insisting.js';
import { inWords } from '../telling.js';
import { texts } from '../texts.js';
import { inWords as stageOf } from '../timeline/capture_job.js';
import { follow } from '../timeline/following.js';
import { sideBySide } from './side_by_side.js';

/**
 * @import { ClipView, MomentAccepted, RoomTimeline } from '../../types.js'
 * @import { Api } from '../api.js'
 * @import { Progress } from '../timeline/capture_job.js'
 * @import { Stretch } from '../timeline/film_clock.js'
 * @import { StepClock } from './step.js'
 */

const SECONDS = [15, 30, 60, 120];
const AT_FIRST = 30;
const t = texts.together;

/**
 * {element, result, window(), close()}. `window()`: what would be captured now, up to the clock.
 *
 * @param {Api} api
 * @param {RoomTimeline} room
 * @param {StepClock} clock
 */
export function momentForm(api, room, clock) {
  /** @type {{named: string, key: string} | null} */
  let pending = null; // a request whose outcome is not known yet
  const ending = new AbortController();
  /** @type {HTMLSelectElement} */
  const long = h(
    'select',
    { id: 'moment-length' },
    SECONDS.map((seconds) =>
      h('option', { value: seconds, selected: seconds === AT_FIRST }, texts.timeline.presets.short(seconds)),
    ),
  );
  const submit = h('button', { class: 'primary' }, t.capture);
  const wrong = h('p', { class: 'bad-text', role: 'alert', hidden: true });
  const result = h('div', { class: 'moments' });
  const element = h(
    'form',
    { class: 'row moment', onsubmit: (event) => (event.preventDefault(), void send()) },
    h('label', { for: 'moment-length' }, t.length),
    long,
    submit,
    wrong,
  );
  return { element, result, window, close: () => ending.abort() };

  function window() {
    const end = Math.max(clock.instant, clock.start + 1_000);
    return { start: Math.max(clock.start, end - Number(long.value) * 1000), end };
  }

  async function send() {
    const { start, end } = window();
    const body = {
      room_sid: room.room_sid,
      start: new Date(start).toISOString(),
      end: new Date(end).toISOString(),
    };
    // Pressed again for the same after an answer was lost, it is the same request.
    const named = JSON.stringify(body);
    if (pending?.named !== named) pending = { named, key: freshKey() };
    const { key } = pending;
    busy(true);
    try {
      /** @type {() => Promise<MomentAccepted>} */
      const ask = () => api.post(`/rooms/${pathName(room.room)}/captures`, body, { 'Idempotency-Key': key });
      const accepted = await insistently(ask, () => say(texts.timeline.capture.again));
      pending = null;
      say('');
      const { panel, heading } = shown(accepted);
      result.prepend(panel);
      heading.focus();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (!isPassing(error)) pending = null;
      say(error.status === 0 ? texts.timeline.capture.unknownOutcome : inWords(error));
    } finally {
      busy(false);
    }
  }

  /** @param {MomentAccepted} accepted */
  function shown({ moment_id: id, captures, refused, complete }) {
    const together = h('div', {});
    const ends = captures.map(() => /** @type {ClipView | null | undefined} */ (undefined));
    const jobs = captures.map((capture, place) => {
      const stage = h('span', { class: 'stage', role: 'status' });
      const clip = h('a', { href: `#/clips/${capture.clip_id}`, hidden: true }, texts.timeline.jobs.open);
      const job = h('li', { class: 'row job' }, h('bdi', {}, capture.sharer), stage, clip);
      const show = (/** @type {Progress} */ progress) => {
        const told = stageOf(progress);
        if (stage.textContent !== told) stage.textContent = told;
        set(job, { class: `row job ${progress.status}` });
        clip.hidden = !progress.clip;
        if (progress.status === 'lost' || FINAL.includes(progress.status)) {
          ends[place] = progress.clip;
          const clips = ends.filter((each) => !!each);
          if (clips.length > 1 && !ends.includes(undefined)) fill(together, sideBySide(api, clips, ending.signal));
        }
      };
      void follow(api, `/captures/${capture.id}`, show, ending.signal, false);
      return job;
    });
    const heading = h('h2', { tabindex: '-1' }, t.captured(captures.length));
    const panel = h(
      'section',
      { class: 'card panel' },
      h('div', { class: 'row between' }, heading, h('a', { class: 'button', href: `#/clips?moment=${id}` }, t.clips)),
      !complete && h('p', { class: 'note' }, t.notAllCaptured),
      refused.length > 0 &&
        h(
          'ul',
          { class: 'refused' },
          refused.map((each) => h('li', {}, t.refused(each.sharer, inWords(new Problem(0, each))))),
        ),
      h('ul', { class: 'jobs' }, jobs),
      together,
    );
    return { panel, heading };
  }

  /** @param {boolean} sending */
  function busy(sending) {
    submit.disabled = sending;
    fill(submit, sending ? texts.timeline.capture.sending : t.capture);
  }

  /** @param {string} words */
  function say(words) {
    wrong.hidden = !words;
    wrong.textContent = words;
  }
}
