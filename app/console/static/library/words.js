// What is said of a clip in more than one place.

import { clock } from '../times.js';
import { texts } from '../texts.js';

/** @import { ClipView } from '../../types.js' */

const own = texts.library;

/** A clip's title, or what stands for it where it has none. @param {ClipView} clip */
export function nameOf(clip) {
  return clip.title || own.untitled(clip.sharer, clock(clip.delivered.start));
}

/** Whether the viewer may change a clip. @param {ClipView} clip */
export const mayChange = (clip) => clip.right === 'change';

/** The name to save a clip under: its title as it is now, when it was recorded. @param {ClipView} clip */
export function fileName(clip) {
  const words =
    (clip.title || clip.room)
      .replace(/[/\\:*?"<>|]/g, '-')
      .slice(0, 80)
      .trim() || 'replay';
  const day = clip.delivered.start.slice(0, 10);
  return `${words} ${day} ${clip.delivered.start.slice(11, 19).replaceAll(':', '.')}.mp4`;
}
