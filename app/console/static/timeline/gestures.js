// What pointers do to the timeline: drag the handles, the selection or the ruler, choose anew, zoom.

/**
 * @import { Strip, Track } from './track.js'
 */

/**
 * What a pointer does that is down: `act(px)` where it moves to, `click()` if it did not move.
 * @typedef {{id: number, x: number, moved: boolean, act: (px: number) => void, click: () => void}} Drag
 */

const STILL_PX = 5; // what moves less was a click
const WHEEL = 0.002;

/**
 * Makes a Track move; `desk` is what it is of. `hover(instant, x)` is told where the pointer is.
 *
 * @param {Track} track
 * @param {Strip} desk
 * @param {(instant: number | null, x?: number) => void} hover
 */
export function gestures(track, desk, hover) {
  const { axis, selection, player } = desk;
  /** @type {Map<number, number>} */
  const pointers = new Map(); // id → x, of those that are down
  /** @type {Drag | null} */
  let drag = null;
  /** @type {{apart: number, middle: number, length: number} | null} */
  let pinch = null;

  const x = (/** @type {MouseEvent} */ event) => event.clientX - track.strip.getBoundingClientRect().left;
  const instantAt = (/** @type {number} */ px) => axis.instant(Math.min(1, Math.max(0, px / track.width)));

  track.element.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    pointers.set(event.pointerId, x(event));
    // Else what it came down on has it, and that may be drawn anew before it is lifted.
    track.element.setPointerCapture(event.pointerId);
    if (pointers.size === 2) return beginPinch();
    if (pointers.size > 2) return;
    drag = begin(event);
    axis.hold(true);
  });
  track.element.addEventListener('pointermove', (event) => {
    if (pointers.has(event.pointerId)) pointers.set(event.pointerId, x(event));
    if (pinch) return goOnPinching(pinch);
    if (drag?.id === event.pointerId) go(drag, event);
    else if (event.pointerType === 'mouse') showHover(event);
  });
  for (const kind of /** @type {const} */ (['pointerup', 'pointercancel'])) {
    track.element.addEventListener(kind, (event) => {
      pointers.delete(event.pointerId);
      if (pinch && pointers.size < 2) pinch = null;
      if (!drag || drag.id !== event.pointerId) return;
      const { moved, click } = drag;
      drag = null;
      player.settle();
      track.element.classList.remove('dragging');
      hover(null);
      if (!moved && kind === 'pointerup') click();
      if (event.pointerType !== 'mouse') axis.hold(false);
    });
  }
  track.element.addEventListener('pointerenter', () => axis.hold(true));
  track.element.addEventListener('pointerleave', () => {
    if (!drag) hover(null);
    if (!drag && !track.element.contains(document.activeElement)) axis.hold(false);
  });
  track.element.addEventListener('focusin', () => axis.hold(true));
  track.element.addEventListener('focusout', () => {
    if (!track.element.matches(':hover')) axis.hold(false);
  });
  track.element.addEventListener('wheel', turn, { passive: false });

  /**
   * @param {PointerEvent} event
   * @returns {Drag}
   */
  function begin(event) {
    const px = x(event);
    const at = instantAt(px);
    const edge = edgeAt(event);
    const flag = nearest(event, '.flag')?.dataset.at;
    const common = { id: event.pointerId, x: px, moved: false };
    const click = () => player.seek(flag ? Number(flag) : at);
    if (edge) {
      const beside = selection[edge] - at;
      const act = (/** @type {number} */ to) => {
        const instant = instantAt(to) + beside;
        player.scrubbing = true;
        if (edge === 'start') selection.moveStart(instant);
        else selection.moveEnd(instant);
        player.scrub(selection[edge]);
        hover(selection[edge], to);
      };
      return { ...common, act, click: () => player.seek(selection[edge]) };
    }
    if (nearest(event, '.ruler')) {
      let last = px;
      return { ...common, act: (to) => (axis.pan((last - to) / track.width), (last = to)), click };
    }
    if (at >= selection.start && at < selection.end) {
      const beside = selection.start - at;
      return { ...common, act: (to) => selection.moveTo(axis.instant(to / track.width) + beside), click };
    }
    const act = (/** @type {number} */ to) => {
      const until = instantAt(to);
      selection.choose(Math.min(at, until), Math.max(at, until));
      hover(until, to);
    };
    return { ...common, act, click };
  }

  /**
   * @param {Drag} dragged
   * @param {PointerEvent} event
   */
  function go(dragged, event) {
    const px = x(event);
    if (!dragged.moved && Math.abs(px - dragged.x) < STILL_PX) return;
    if (!dragged.moved) track.element.classList.add('dragging');
    dragged.moved = true;
    dragged.act(px);
  }

  /** @param {PointerEvent} event */
  function showHover(event) {
    const px = x(event);
    hover(px >= 0 && px <= track.width ? instantAt(px) : null, px);
  }

  function beginPinch() {
    const [a, b] = [...pointers.values()];
    pinch = { apart: Math.max(20, Math.abs(a - b)), middle: instantAt((a + b) / 2), length: axis.length };
    drag = null;
    player.settle();
    hover(null);
  }

  /** @param {{apart: number, middle: number, length: number}} begun */
  function goOnPinching(begun) {
    const [a, b] = [...pointers.values()];
    const length = (begun.length * begun.apart) / Math.max(20, Math.abs(a - b));
    axis.zoom(length / axis.length, begun.middle);
  }

  /**
   * The page scrolls as ever: only sideways, and with Ctrl (or a pinch on a touchpad), it is ours.
   *
   * @param {WheelEvent} event
   */
  function turn(event) {
    if (event.ctrlKey || event.metaKey) {
      axis.zoom(Math.exp(event.deltaY * WHEEL * 2), instantAt(x(event)));
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      axis.pan((event.deltaX || event.deltaY) / track.width);
    } else return;
    event.preventDefault();
  }
}

/**
 * What of a kind the event is of, or lies in.
 *
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
function nearest({ target }, selector) {
  return target instanceof Element ? target.closest(selector) : null;
}

/** The edge of the selection whose handle the event is of. @param {Event} event */
function edgeAt(event) {
  const edge = nearest(event, '.handle')?.dataset.edge;
  return edge === 'start' || edge === 'end' ? edge : null;
}
