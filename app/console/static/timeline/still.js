// The picture that stays in sight while one film has gone and the next is not there yet.

import { h } from '../dom.js';

export class Still {
  element = h('canvas', { class: 'still', hidden: true, 'aria-hidden': 'true' });

  /** Keeps what a <video> shows, unless something is kept already. @param {HTMLVideoElement} video */
  keep(video) {
    const { videoWidth: width, videoHeight: height, readyState } = video;
    if (readyState < 2 || !this.element.hidden) return;
    Object.assign(this.element, { width, height });
    this.element.getContext('2d')?.drawImage(video, 0, 0);
    this.element.hidden = false;
  }

  hide() {
    this.element.hidden = true;
  }
}
