// Keys by which the service knows a request that it has had before.

/** An Idempotency-Key that no other request has. */
export function freshKey() {
  // Not randomUUID: that is there in secure contexts only, and the service may be at http://….
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `console-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
