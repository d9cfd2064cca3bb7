// A film goes on where its URL has ended.

/**
 * When a film can't be read any more it goes on where it is, by the URL that `next()` gives, if it
 * gives one: once, until it plays again. `fail()` is called when that does not help.
 *
 * @param {HTMLVideoElement} video
 * @param {() => Promise<string | null>} next
 * @param {() => void} fail
 */
export function goOn(video, next, fail) {
  let renewed = false;
  video.addEventListener('playing', () => (renewed = false));
  video.addEventListener('error', async () => {
    if (!video.getAttribute('src')) return; // it was let go of
    if (renewed) return fail();
    renewed = true;
    const at = video.currentTime;
    const playing = !video.paused;
    const url = await next().catch(() => null);
    if (!video.getAttribute('src')) return;
    if (!url) return fail();
    video.src = url;
    video.currentTime = at;
    if (playing) video.play().catch(() => {}); // it waits to be played, then
  });
}
