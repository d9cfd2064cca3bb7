// What is read of the service's own fMP4: which codecs, and where a fragment begins. Pure.

const TICKS = 90_000; // of a second, on the clock of the picture
const AAC = 'mp4a.40.2';

/**
 * The type of an init segment's media, as a SourceBuffer wants it. Throws if it has no picture.
 *
 * @param {Uint8Array} init
 */
export function typeOf(init) {
  const at = find(init, 'avcC');
  if (at === null) throw new RangeError('an init segment without avcC');
  const profile = [...init.subarray(at + 1, at + 4)].map((byte) => byte.toString(16).padStart(2, '0'));
  const codecs = [`avc1.${profile.join('')}`];
  if (find(init, 'mp4a') !== null) codecs.push(AAC);
  return `video/mp4; codecs="${codecs.join(', ')}"`;
}

/**
 * The second of its session's clock at which a fragment's picture begins. Throws if it tells none.
 *
 * The picture's track comes first, and its decode time is that of the first picture.
 *
 * @param {Uint8Array} fragment
 */
export function startOf(fragment) {
  const at = find(fragment, 'tfdt');
  if (at === null || at + 12 > fragment.length) throw new RangeError('a fragment without tfdt');
  const view = new DataView(fragment.buffer, fragment.byteOffset + at);
  return Number(view.getBigUint64(4)) / TICKS;
}

/**
 * Where the content of the first box of a kind begins: both lie before any media.
 *
 * @param {Uint8Array} bytes
 * @param {string} kind
 */
function find(bytes, kind) {
  const codes = [...kind].map((letter) => letter.charCodeAt(0));
  for (let at = 4; at + 4 <= bytes.length; at++) {
    if (codes.every((code, place) => bytes[at + place] === code)) return at + 4;
  }
  return null;
}
