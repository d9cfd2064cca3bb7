// A whole clip: film, title, what can be done with it, what it holds.

import { fill, h, set } from '../dom.js';
import { tell, tellProblem } from '../telling.js';
import { texts } from '../texts.js';
import { audienceOf } from './audience.js';
import { tellReplaced } from './deleting.js';
import { factsOf } from './facts.js';
import { film } from './film.js';
import { copyLink } from './link.js';
import { objectionsOf } from './objecting.js';
import { renditionsOf } from './renditions.js';
import { shareClip } from './share.js';
import { titleOf } from './title.js';
import { trimmerOf } from './trimmer.js';
import { fileName, mayChange } from './words.js';

/**
 * @import { ClipChange, ClipView } from '../../types.js'
 * @import { Api } from '../api.js'
 * @import { Session } from '../session.js'
 * @typedef {{api: Api, session: Session, onChange: (clip: ClipView) => void,
 *   onDelete: (clip: ClipView) => void, onGone: (clip: ClipView) => void}} Options
 */

const own = texts.library.details;
const MARGIN_MS = 30_000; // what a URL has to be good for when a download begins

/**
 * The details of a clip. `onChange(clip)` is called when it was changed, `onDelete(clip)` when it is to
 * be deleted, `onGone(clip)` when it was, by somebody else than its owner. `level`: of its heading.
 *
 * @param {ClipView} clip
 * @param {Options & {level: 1 | 2, autoplay: boolean}} options
 */
export function detailsOf(clip, { api, session, level, autoplay, onChange, onDelete, onGone }) {
  const { identity, limits } = session.facts;
  const changeable = mayChange(clip);
  /** @returns {Promise<ClipView>} */
  const again = () => api.get(`/clips/${clip.id}`);
  const player = film(clip, { api, autoplay, again });
  const facts = h('section', { class: 'about-it', 'aria-label': own.facts });
  const download = h('a', { class: 'button', href: api.url(clip.download_url) }, own.download);
  download.addEventListener('click', (event) => void begin(event).catch(tellProblem));
  const keep = h('button', { 'aria-pressed': 'false', onclick: () => void toggle() }, own.keep);

  /** @type {ReturnType<typeof trimmerOf> | null} */
  let trimmer = null;
  const trimming = h('div', {});
  const trim = h('button', { 'aria-expanded': 'false', onclick: () => turnTrimmer() }, texts.library.trim.button);

  function turnTrimmer() {
    trimmer?.close();
    trimmer = trimmer ? null : trimmerOf(clip, { api, video: player.video, longest: limits.title_length, onReplaced });
    fill(trimming, trimmer?.element);
    set(trim, { 'aria-expanded': String(trimmer !== null) });
    trimmer?.element.scrollIntoView({ block: 'nearest' });
  }

  /** @param {ClipView} part */
  function onReplaced(part) {
    return tellReplaced(clip, part, { api, restorable: limits.restore_seconds }).catch(tellProblem);
  }

  /** @param {ClipChange} fields */
  async function change(fields) {
    taken(await api.patch(`/clips/${clip.id}`, fields));
    return clip;
  }

  /** @param {ClipView} changed */
  function taken(changed) {
    clip = changed;
    show();
    onChange(clip);
  }

  async function toggle() {
    try {
      await change({ keep: !clip.keep });
      tell(clip.keep ? own.keptNow : own.notKeptNow);
    } catch (error) {
      tellProblem(error);
    }
  }

  /**
   * The clip's URL ends with the token, and the page may have been open for longer.
   *
   * @param {Event} event
   */
  async function begin(event) {
    const end = new URL(download.href).searchParams.get('exp'); // in seconds
    if (end === null || Number(end) * 1000 - api.now() > MARGIN_MS) return;
    event.preventDefault();
    taken(await again());
    // Without this listener: however soon it ends, it is tried.
    h('a', { href: download.href, download: download.download }).click();
  }

  function show() {
    set(download, { download: fileName(clip), href: api.url(clip.download_url) });
    set(keep, { 'aria-pressed': String(clip.keep), hidden: !clip.keep && !clip.expires_at });
    link.hidden = share.hidden = clip.closed_by !== null;
    fill(facts, factsOf(clip));
    objections.show(clip);
    audience?.show(clip);
  }

  const audience = changeable ? audienceOf(clip, change) : null;
  const renditions = renditionsOf(clip, { api, video: player.video, owned: clip.owner === identity });
  const objections = objectionsOf(clip, { api, identity, onChange: taken, onGone });
  const link = h(
    'button',
    { class: 'primary', onclick: () => void copyLink(clip, { api, onChange: taken }) },
    texts.library.link.copy,
  );
  const share = h('button', { onclick: () => void shareClip(clip, { api, longest: limits.text_length }) }, own.share);
  show();
  const actions = h(
    'div',
    { class: 'row actions' },
    changeable && link,
    download,
    clip.owner === identity && trim,
    changeable && [
      keep,
      limits.events && share, // told by none, nobody posts it
      h('button', { class: 'danger', onclick: () => onDelete(clip) }, own.delete),
    ],
  );
  const element = h(
    'div',
    { class: 'details' },
    h('div', { class: 'main' }, player.element, trimming),
    h(
      'div',
      { class: 'side' },
      titleOf(clip, {
        level,
        longest: limits.title_length,
        changeable,
        rename: (title) => change({ title }),
      }),
      actions,
      objections.element,
      audience ? audience.element : clip.right === 'read' && h('p', { class: 'note' }, own.othersClip(clip.owner)),
      facts,
      renditions.element,
    ),
  );
  const close = () => {
    trimmer?.close();
    renditions.close();
    player.close();
  };
  return { element, close };
}
