// One capture: how far it is, then the clip it made.

import { FINAL } from '../api.js';
import { fill, h, set } from '../dom.js';
import { goOn } from '../going_on.js';
import { icon } from '../icons.js';
import { copyLink } from '../library/link.js';
import { bytes, clockTenths, length, time } from '../times.js';
import { tellProblem } from '../telling.js';
import { called, texts } from '../texts.js';

/**
 * What is known of a capture: what was asked for, or what the service tells of it.
 * @import { CaptureView, ClipView } from '../../types.js'
 * @import { Api } from '../api.js'
 * @import { Child } from '../dom.js'
 * @import { Asked } from './capture_form.js'
 * @typedef {Asked | Pick<CaptureView, 'title' | 'requested' | 'cut'>} Known
 * @typedef {Pick<CaptureView, 'stage' | 'progress' | 'reason' | 'detail' | 'clip'>
 *   & {status: CaptureView['status'] | 'lost'}} Progress
 */

const MEASURED = ['copying', 'encoding']; // stages of which the progress is told
const t = texts.timeline.jobs;

/**
 * {element, show(progress)}. `told`: its title and window, as it was asked for or as it is told.
 *
 * @param {{api: Api, id: string, told: Known, fresh: boolean, dismiss: () => void}} capture
 */
export function captureJob({ api, id, told, fresh, dismiss }) {
  const title = told.title?.trim() || t.untitled;
  const bar = h('progress', { max: 1, 'aria-label': t.progress(title) });
  const stage = h('p', { class: 'stage', role: 'status' }, t.stages.queued);
  const cancel = h('button', { type: 'button', onclick: () => void stop() }, t.cancel);
  const close = h(
    'button',
    {
      type: 'button',
      class: 'plain icon',
      'aria-label': t.dismiss(title),
      title: t.dismissShort,
      onclick: dismiss,
      hidden: true,
    },
    icon('close'),
  );
  const { start, end } = 'requested' in told ? told.requested : told;
  const rest = h('div', { class: 'clip' });
  const element = h(
    'li',
    { class: 'job' },
    h('div', { class: 'row head' }, h('h3', { dir: 'auto' }, title), cancel, close),
    h(
      'p',
      { class: 'note' },
      time(start, clockTenths),
      ' – ',
      time(end, clockTenths),
      ' · ',
      called(t.cuts, told.cut),
    ),
    bar,
    stage,
    rest,
  );
  let shown = '';
  return { element, show };

  /** @param {Progress} progress */
  function show(progress) {
    const { status } = progress;
    const running = status !== 'lost' && !FINAL.includes(status);
    bar.hidden = cancel.hidden = !running;
    close.hidden = running;
    if (status === 'running' && progress.progress > 0) bar.value = progress.progress;
    else bar.removeAttribute('value');
    const words = inWords(progress);
    if (stage.textContent !== words) stage.textContent = words;
    set(element, { class: `job ${status}` });
    if (status === shown) return;
    shown = status;
    if (status === 'ready' && progress.clip) fill(rest, made(api, progress.clip, fresh));
  }

  async function stop() {
    cancel.disabled = true;
    try {
      show(await api.delete(`/captures/${id}`));
      close.focus();
    } catch (error) {
      tellProblem(error);
    } finally {
      cancel.disabled = false;
    }
  }
}

/** How far a capture is, or what became of it. @param {Progress} progress */
export function inWords({ status, stage, reason, detail, progress, clip }) {
  if (status === 'failed') return called(texts.timeline.failures, reason ?? '') ?? t.failed(detail);
  if (status === 'ready') return clip ? t.stages.ready : t.deleted;
  if (status === 'running') {
    const share = MEASURED.includes(stage) && progress > 0 ? ` ${Math.round(progress * 100)} %` : '';
    return (called(t.running, stage) ?? t.running.copying) + share;
  }
  return called(t.stages, status) ?? status;
}

/**
 * What was made: the film, and what was asked for against what was delivered.
 *
 * @param {Api} api
 * @param {ClipView} told
 * @param {boolean} play
 */
function made(api, told, play) {
  const { requested, delivered } = told;
  const video = h('video', {
    src: api.url(told.file_url),
    poster: api.url(told.poster_url),
    controls: true,
    playsinline: true,
    preload: 'metadata',
    'aria-label': t.video(told.title || t.untitled),
  });
  goOn(
    video,
    async () => api.url(/** @type {ClipView} */ (await api.get(`/clips/${told.id}`)).file_url),
    () => {}, // the browser says so
  );
  if (play) {
    // Who asked for it a moment ago wants to see it, but not to be shouted at.
    video.muted = true;
    video.play().catch(() => (video.muted = false)); // if it may not by itself, it waits to be played
  }
  const fact = (/** @type {string} */ name, /** @type {Child[]} */ ...words) => [
    h('dt', {}, name),
    h('dd', {}, ...words),
  ];
  const span = (/** @type {{start: string, end: string}} */ { start, end }) => [
    time(start, clockTenths),
    ' – ',
    time(end, clockTenths),
  ];
  const share = () => copyLink(told, { api, onChange: (changed) => (told = changed) });
  const missing = told.gaps.map((gap) =>
    h('li', {}, ...span(gap), ' ', called(texts.buffers.gaps, gap.why), gap.kept ? ` (${t.kept})` : ''),
  );
  return [
    video,
    h(
      'dl',
      { class: 'facts' },
      fact(t.requested, ...span(requested)),
      fact(t.delivered, ...span(delivered), ` (${length(delivered.duration_seconds, { tenths: true })})`),
      told.tail_lag_seconds >= 0.05 && fact(t.tailLag, t.seconds(told.tail_lag_seconds.toFixed(1))),
      told.hidden_head_seconds >= 0.05 && fact(t.hidden, t.seconds(told.hidden_head_seconds.toFixed(1))),
      fact(t.size, `${bytes(told.size_bytes)}, ${told.width} × ${told.height}`),
      missing.length > 0 && fact(t.gaps, h('ul', {}, missing)),
    ),
    h(
      'div',
      { class: 'row' },
      h('button', { type: 'button', class: 'primary', onclick: () => void share() }, texts.library.link.copy),
      h('a', { class: 'button', href: `#/clips/${told.id}` }, t.open),
      h(
        'a',
        { class: 'button', href: api.url(told.download_url), download: `${told.title || 'replay'}.mp4` },
        t.download,
      ),
    ),
  ];
}
