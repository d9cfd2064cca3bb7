// What is done with the picture that is shown: on the whole screen, in a window of its own, copied.

import { h } from '../dom.js';
import { tell } from '../telling.js';
import { texts } from '../texts.js';

/** @import { Player } from './player.js' */

const t = texts.timeline.player;

/** On the whole screen, or no longer. @param {Player} player */
export function toggleFull({ element }) {
  const done = document.fullscreenElement ? document.exitFullscreen() : element.requestFullscreen();
  done.catch(() => void tell(t.notHere));
}

/** In a window above all others, or no longer. @param {Pick<Player, 'video'>} player */
export function toggleInset({ video }) {
  const done = document.pictureInPictureElement
    ? document.exitPictureInPicture()
    : video.requestPictureInPicture();
  done.catch(() => void tell(t.notHere));
}

/**
 * Copies the picture, as a PNG; where the browser lets no page copy pictures, it is downloaded.
 *
 * @param {Player} player
 */
export async function copyFrame({ video }) {
  if (video.readyState < 2) return;
  const canvas = h('canvas');
  Object.assign(canvas, { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext('2d')?.drawImage(video, 0, 0);
  /** @type {Blob | null} */
  const picture = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (!picture) return void tell(texts.problems.unexpected, { alert: true });
  try {
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })]);
    tell(t.copied, { kind: 'frame' });
  } catch {
    const url = URL.createObjectURL(picture);
    h('a', { href: url, download: 'frame.png' }).click();
    URL.revokeObjectURL(url);
    tell(t.savedFrame, { kind: 'frame' });
  }
}
