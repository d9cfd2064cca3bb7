// What pointers do to the timeline: drag the handles, the selection or the ruler, choose anew, zoom.

const STILL_PX = 5; // what moves less was a click
const WHEEL = 0.002;

/** Makes a Track move; `desk` is what it is of. `hover(instant, x)` is told where the pointer is. */
export function gestures(track, desk, hover) {
  const { axis, selection, player } = desk;
  const pointers = new Map(); // id → x, of those that are down
  let drag = null; // {id, x, moved, act, click}
  let pinch = null;

  const x = (event) => event.clientX - track.strip.getBoundingClientRect().left;
  const instantAt = (px) => axis.instant(Math.min(1, Math.max(0, px / track.width)));

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
    if (pinch) return goOnPinching();
    if (drag?.id === event.pointerId) go(event);
    else if (event.pointerType === 'mouse') showHover(event);
  });
  for (const kind of ['pointerup', 'pointercancel']) {
    track.element.addEventListener(kind, (event) => {
      pointers.delete(event.pointerId);
      if (pinch && pointers.size < 2) pinch = null;
      if (drag?.id !== event.pointerId) return;
      const { moved, click } = drag;
      drag = null;
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

  function begin(event) {
    const px = x(event);
    const edge = event.target.closest('.handle')?.dataset.edge;
    const flag = event.target.closest('.flag')?.dataset.at;
    const common = { id: event.pointerId, x: px, moved: false };
    const at = instantAt(px);
    const click = () => player.seek(flag ? Number(flag) : at);
    if (edge) {
      const beside = selection[edge] - at;
      const move = (instant) =>
        edge === 'start' ? selection.moveStart(instant) : selection.moveEnd(instant);
      const act = (to) => (move(instantAt(to) + beside), hover(selection[edge], to));
      return { ...common, act, click: () => player.seek(selection[edge]) };
    }
    if (event.target.closest('.ruler')) {
      let last = px;
      return { ...common, act: (to) => (axis.pan((last - to) / track.width), (last = to)), click };
    }
    if (at >= selection.start && at < selection.end) {
      const beside = selection.start - at;
      return { ...common, act: (to) => selection.moveTo(axis.instant(to / track.width) + beside), click };
    }
    const act = (to) => {
      const until = instantAt(to);
      selection.choose(Math.min(at, until), Math.max(at, until));
      hover(until, to);
    };
    return { ...common, act, click };
  }

  function go(event) {
    const px = x(event);
    if (!drag.moved && Math.abs(px - drag.x) < STILL_PX) return;
    if (!drag.moved) track.element.classList.add('dragging');
    drag.moved = true;
    drag.act(px);
  }

  function showHover(event) {
    const px = x(event);
    hover(px >= 0 && px <= track.width ? instantAt(px) : null, px);
  }

  function beginPinch() {
    const [a, b] = [...pointers.values()];
    pinch = { apart: Math.max(20, Math.abs(a - b)), middle: instantAt((a + b) / 2), length: axis.length };
    drag = null;
    hover(null);
  }

  function goOnPinching() {
    const [a, b] = [...pointers.values()];
    const length = (pinch.length * pinch.apart) / Math.max(20, Math.abs(a - b));
    axis.zoom(length / axis.length, pinch.middle);
  }

  // The page scrolls as ever: only sideways, and with Ctrl (or a pinch on a touchpad), it is ours.
  function turn(event) {
    if (event.ctrlKey || event.metaKey) {
      axis.zoom(Math.exp(event.deltaY * WHEEL * 2), instantAt(x(event)));
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      axis.pan((event.deltaX || event.deltaY) / track.width);
    } else return;
    event.preventDefault();
  }
}
