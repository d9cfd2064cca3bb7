// What ends a request: one of several reasons.

/**
 * A signal that is aborted once one of these is.
 *
 * AbortSignal.any does that, of which Safari before 17.4 and Firefox before 124 know nothing.
 *
 * @param {AbortSignal[]} signals
 * @returns {AbortSignal}
 */
export function whenAny(signals) {
  if ('any' in AbortSignal) return AbortSignal.any(signals);
  const first = new AbortController();
  for (const signal of signals) {
    const abort = () => first.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true, signal: first.signal });
  }
  return first.signal;
}
