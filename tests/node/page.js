// What the console's modules need of a browser's page: elements that keep what they are given, films that
// are played by their tests.

export class FakeNode extends EventTarget {
  parent = null;
  children = [];
  attributes = new Map();
  style = {};
  dataset = {};
  classList = { toggle: () => {} };

  append(...children) {
    for (const child of children) {
      this.children.push(child);
      if (child instanceof FakeNode) child.parent = this;
    }
  }

  replaceChildren(...children) {
    this.children = [];
    this.append(...children);
  }

  remove() {
    if (this.parent) this.parent.children = this.parent.children.filter((child) => child !== this);
    this.parent = null;
  }

  contains(other) {
    return other === this || this.children.some((child) => child instanceof FakeNode && child.contains(other));
  }

  setAttribute(name, value) {
    this.attributes.set(name, value);
  }

  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }

  removeAttribute(name) {
    this.attributes.delete(name);
  }

  focus() {}

  get textContent() {
    return this.children.map((child) => child.textContent ?? child).join('');
  }

  set textContent(text) {
    this.children = [text];
  }
}

/** A <video> that plays what nobody looks at; `refuse` makes the browser refuse what would be heard. */
export class FakeVideo extends FakeNode {
  HAVE_CURRENT_DATA = 2;
  HAVE_FUTURE_DATA = 3;
  readyState = 3;
  currentTime = 0;
  playbackRate = 1;
  volume = 1;
  paused = true;
  error = null;
  refuse = false;
  #muted = false;

  get src() {
    return this.getAttribute('src') ?? '';
  }

  set src(url) {
    this.setAttribute('src', url);
  }

  get muted() {
    return this.#muted;
  }

  set muted(muted) {
    if (muted === this.#muted) return;
    this.#muted = muted;
    queueMicrotask(() => this.dispatchEvent(new Event('volumechange')));
  }

  async play() {
    if (this.refuse && !this.muted) throw new DOMException('nobody has pressed anything', 'NotAllowedError');
    this.paused = false;
  }

  pause() {
    this.paused = true;
  }

  load() {}
}

/** Begins a page: `document`, which is in sight, and Node. `baseURI` is the service's. */
export function begin(baseURI) {
  const make = (tag) => (tag === 'video' ? new FakeVideo() : new FakeNode());
  globalThis.Node = FakeNode;
  globalThis.document = Object.assign(new EventTarget(), {
    baseURI,
    hidden: false,
    pictureInPictureElement: null,
    activeElement: null,
    createElement: make,
    createElementNS: (_, tag) => make(tag),
  });
  return globalThis.document;
}

class FakeBuffer extends EventTarget {
  timestampOffset = 0;
  buffered = { length: 1, start: () => 0 };

  appendBuffer() {
    if (FakeSource.unreadable > 0) {
      FakeSource.unreadable -= 1;
      throw new DOMException('the film is over', 'InvalidStateError');
    }
    queueMicrotask(() => this.dispatchEvent(new Event('updateend')));
  }
}

/** What takes a film in pieces, of a type that is `supported`; it refuses the next `unreadable` of them. */
export class FakeSource extends EventTarget {
  static supported = true;
  static opens = true;
  static unreadable = 0;
  static urls = new Set(); // those that nobody has revoked
  static #made = 0;

  static isTypeSupported() {
    return FakeSource.supported;
  }

  static urlOf(source) {
    const url = `blob:${(FakeSource.#made += 1)}`;
    FakeSource.urls.add(url);
    queueMicrotask(() => FakeSource.opens && source.dispatchEvent(new Event('sourceopen')));
    return url;
  }

  addSourceBuffer() {
    if (!FakeSource.supported) throw new DOMException('no such codec', 'NotSupportedError');
    return new FakeBuffer();
  }
}

globalThis.MediaSource = FakeSource;
URL.createObjectURL = FakeSource.urlOf;
URL.revokeObjectURL = (url) => void FakeSource.urls.delete(url);
