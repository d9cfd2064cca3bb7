// Downloading several clips: one file after another, or all in one.

import { Problem } from '../api.js';
import { h } from '../dom.js';
import { tell, tellProblem } from '../telling.js';
import { texts } from '../texts.js';
import { bytes } from '../times.js';
import { fileName } from './words.js';

/**
 * @import { ArchiveView, ClipView } from '../../types.js'
 * @import { Api } from '../api.js'
 */

/**
 * Has the browser save clips, by URLs that are asked for anew: those that are shown may have ended.
 *
 * @param {ClipView[]} clips
 * @param {Api} api
 */
export async function downloadClips(clips, api) {
  let begun = 0;
  for (const { id } of clips) {
    try {
      /** @type {ClipView} */
      const clip = await api.get(`/clips/${id}`);
      h('a', { href: api.url(clip.download_url), download: fileName(clip) }).click();
      begun += 1;
    } catch (error) {
      tellProblem(error);
      if (!(error instanceof Problem && error.status === 404)) break; // else the others are still there
    }
  }
  if (begun) tell(texts.library.selection.downloading(begun));
}

/**
 * Has the browser save clips as one zip.
 *
 * @param {ClipView[]} clips
 * @param {Api} api
 */
export async function downloadArchive(clips, api) {
  try {
    /** @type {ArchiveView} */
    const archive = await api.post('/archives', { clip_ids: clips.map((clip) => clip.id) });
    h('a', { href: api.url(archive.download_url), download: '' }).click();
    tell(texts.library.selection.archiving(bytes(archive.size_bytes)));
  } catch (error) {
    tellProblem(error);
  }
}
