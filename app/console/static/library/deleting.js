// Deleting and replacing clips, and taking that back for as long as the service lets one.

import { Problem } from '../api.js';
import { inWords, tell, tellProblem } from '../telling.js';
import { texts } from '../texts.js';
import { nameOf } from './words.js';

/**
 * @import { ClipView } from '../../types.js'
 * @import { Api } from '../api.js'
 */

const own = texts.library.deleting;
const MARGIN_SECONDS = 2; // for the way there
const WHY_SECONDS = 12;
const LOOKS = 100; // a worker that is killed just then is replaced after some 20 s
const LOOK_MS = 300;
const UNDO_SECONDS = 60; // how long the message stays, however long a clip rests

/**
 * Deletes clips, which the viewer can take back for `restorable` seconds. `onGone(clip)` is called for
 * each that is gone, `onBack(clip)` for each that was taken back, `onDone()` when quotas may have
 * changed.
 *
 * @param {ClipView[]} clips
 * @param {{api: Api, restorable: number, onGone: (clip: ClipView) => void,
 *   onBack: (clip: ClipView) => void, onDone: () => void}} options
 */
export async function deleteClips(clips, { api, restorable, onGone, onBack, onDone }) {
  /** @type {ClipView[]} */
  const gone = [];
  const began = Date.now();
  for (const clip of clips) {
    try {
      await api.delete(`/clips/${clip.id}`);
    } catch (error) {
      if (!(error instanceof Problem && error.status === 404)) {
        tellProblem(error);
        break;
      }
    }
    gone.push(clip);
    onGone(clip);
  }
  if (!gone.length) return;
  onDone();
  const undo = async () => {
    const lost = []; // why, of each that stays deleted
    for (const clip of gone) {
      try {
        onBack(await api.post(`/clips/${clip.id}/restore`));
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        lost.push(inWords(error));
      }
    }
    if (lost.length < gone.length) tell(own.restored(gone.length - lost.length, gone.length));
    for (const why of new Set(lost)) {
      const count = lost.filter((each) => each === why).length;
      tell(own.notRestored(count, why), { alert: true, seconds: WHY_SECONDS });
    }
    onDone();
  };
  const left = restorable - (Date.now() - began) / 1000;
  offerUndo(gone.length === 1 ? own.one(nameOf(gone[0])) : own.several(gone.length), left, undo);
}

/**
 * Waits for a trim to have a clip's place, and says so; that can be taken back for `restorable` seconds.
 * One that doesn't get it is a clip of its own, as where the clip was deleted meanwhile: then it says that.
 *
 * @param {ClipView} clip
 * @param {ClipView} trim
 * @param {{api: Api, restorable: number}} options
 */
export async function tellReplaced(clip, trim, { api, restorable }) {
  let isThere = (await found(api, clip)) !== null;
  for (let look = 0; look < LOOKS && isThere; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    isThere = (await found(api, clip)) !== null;
  }
  const now = await found(api, trim);
  if (isThere || !now || now.visibility !== clip.visibility || now.link_url !== clip.link_url) {
    tell(own.notReplaced(nameOf(clip)), { alert: true, seconds: WHY_SECONDS });
    return;
  }
  location.hash = `#/clips/${trim.id}`;
  offerUndo(own.replaced(nameOf(clip)), restorable, async () => {
    try {
      await api.post(`/clips/${clip.id}/restore`, { in_place_of: trim.id });
    } catch (error) {
      if (!(error instanceof Problem && error.type === 'quota-exceeded')) throw error;
      tell(own.noRoomToUndo, { alert: true, seconds: WHY_SECONDS });
      return;
    }
    tell(own.restored(1, 1));
    location.hash = `#/clips/${clip.id}`;
  });
}

/**
 * A clip as it is now; null if it is gone.
 *
 * @param {Api} api
 * @param {ClipView} clip
 * @returns {Promise<ClipView | null>}
 */
async function found(api, clip) {
  try {
    return await api.get(`/clips/${clip.id}`);
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}

/**
 * @param {string} said
 * @param {number} restorable for how many seconds
 * @param {() => Promise<void>} undo
 */
function offerUndo(said, restorable, undo) {
  const seconds = Math.min(restorable, UNDO_SECONDS) - MARGIN_SECONDS;
  const close = tell(said, { action: { label: own.undo, run: () => void undo().catch(tellProblem) }, seconds });
  // Also where somebody rests on it: a button that can't keep its word is none.
  setTimeout(close, seconds * 1000);
}
