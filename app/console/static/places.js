// Where the viewer was on each page of the history: what a document would remember by itself.

/** Scroll and focus of the views that `main` shows. */
export class Places {
  /** @type {Map<string, number>} */
  #scrolls = new Map(); // of an entry of the history: how far it was scrolled
  #count = 0;
  /** @type {string | null} */
  #entry = null;
  /** @type {string | null} */
  #fragment = null;

  /** @param {HTMLElement} main */
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
    /** @type {string | undefined} */
    const known = history.state?.entry;
    const entry = known ?? `${Date.now()}-${++this.#count}`;
    this.#entry = entry;
    this.#fragment = location.hash;
    if (!known) history.replaceState({ ...history.state, entry }, '');
    const link = known && from ? `a[href="${CSS.escape(from)}"]` : null;
    const wanted = this.#found('[autofocus]') ?? (link && this.#found(link));
    if (wanted) wanted.focus({ preventScroll: true });
    else if (!first) this.#focusHeading();
    scrollTo(0, this.#scrolls.get(entry) ?? 0);
  }

  /** The next view is the first one again, as after signing in, but the focus was in the page. */
  forget() {
    this.#scrolls.clear();
  }

  /**
   * @param {string} selector
   * @returns {HTMLElement | null}
   */
  #found(selector) {
    return this.main.querySelector(selector);
  }

  #focusHeading() {
    const heading = this.#found('h1') ?? this.main;
    heading.setAttribute('tabindex', '-1');
    heading.focus({ preventScroll: true });
  }
}
