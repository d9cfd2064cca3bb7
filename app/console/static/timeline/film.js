// The film of a window: where its bytes are, and which instants it shows.

import { FilmClock } from './film_clock.js';

/**
 * @import { Api } from '../api.js'
 * @import { Stretch } from './film_clock.js'
 */

/**
 * {url, clock} of the film of [start, end) of a buffer, or of what of it can be had.
 *
 * `replay.mp4` tells, to whoever asks with a token, the signed URL of the same bytes: a <video> can't
 * send a header, and a token has no place in a URL. Throws Problem.
 *
 * @param {{id: string, api: Api, spans: Stretch[]}} buffer
 * @param {Stretch} window
 * @param {AbortSignal} signal
 */
export async function film(buffer, { start, end }, signal) {
  const path = `/buffers/${encodeURIComponent(buffer.id)}/replay.mp4`;
  const query = { start: new Date(start).toISOString(), end: new Date(end).toISOString() };
  const answer = await buffer.api.answer(path, query, { headers: { Range: 'bytes=0-0' }, signal });
  const signed = new URL(answer.headers.get('Content-Location') ?? '', answer.url);
  await answer.body?.cancel();
  const told = signed.searchParams;
  const window = { start: Date.parse(told.get('start') ?? ''), end: Date.parse(told.get('end') ?? '') };
  return { url: signed.href, clock: new FilmClock(buffer.spans, window) };
}
