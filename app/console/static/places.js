// Where the viewer was on each page of the history: what a document would remember by itself.

/** Scroll and focus of the views that `main` shows. */
export class Places {
  #scrolls = new Map(); // of an entry of the history: how far it was scrolled
  #count = 0;
  #entry = null;
  #fragment = null;

  constructor(main) {
    this.main = main;
    history.scrollRestoration = 'manual';
  }

  /** Before another view is made. */
  leave() {
    if (this.#entry !== null) this.#scrolls.set(this.#entry, scrollY);
  }

  /**
   * After it is shown. Back on a page, the viewer finds it as they have left it, at the link that
   * led away; on a new one its heading has the focus, which screen readers then read. The first
   * view of all takes no focus: Tab begins at the top.
   */
  arrive() {
    const [first, from] = [this.#entry === null, this.#fragment];
    const known = history.state?.entry;
    this.#entry = known ?? `${Date.now()}-${++this.#count}`;
    this.#fragment = location.hash;
    if (!known) history.replaceState({ ...history.state, entry: this.#entry }, '');
    const wanted = this.main.querySelector('[autofocus]');
    const left = known && from && this.main.querySelector(`a[href="${CSS.escape(from)}"]`);
    if (wanted || left) (wanted ?? left).focus({ preventScroll: true });
    else if (!first) this.#focusHeading();
    scrollTo(0, this.#scrolls.get(this.#entry) ?? 0);
  }

  /** The next view is the first one again, as after signing in, but the focus was in the page. */
  forget() {
    this.#scrolls.clear();
  }

  #focusHeading() {
    const heading = this.main.querySelector('h1') ?? this.main;
    heading.setAttribute('tabindex', '-1');
    heading.focus({ preventScroll: true });
  }
}
