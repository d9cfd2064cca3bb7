// The buffers that the viewer may see, kept up to date by the service's events.

/**
 * Tells `change` when a buffer changed (detail: its id) or all did (detail: null), and `state` when
 * the connection is lost or there again. `all` is newest share first.
 */
export class LiveBuffers extends EventTarget {
  #byId = new Map();
  #ending = null;

  constructor(api) {
    super();
    this.api = api;
    this.state = 'connecting';
    this.known = false; // whether there was a snapshot: nothing is not the same as not known yet
    this.problem = null; // why nothing comes, where that is known
    this.listen();
  }

  /** Begins anew, as with another token; what there is stays until there is newer. */
  listen() {
    this.#ending?.abort();
    this.#ending = new AbortController();
    void this.#listen(this.#ending.signal);
  }

  get all() {
    return [...this.#byId.values()].sort((a, b) => b.since.localeCompare(a.since) || b.id.localeCompare(a.id));
  }

  get(id) {
    return this.#byId.get(id);
  }

  close() {
    this.#ending.abort();
  }

  async #listen(signal) {
    try {
      await this.api.events('/buffers/events', {}, {
        onEvent: (type, data) => this.#take(type, data),
        onState: (state, problem) => this.#turn(state, problem),
        signal,
      });
    } catch (problem) {
      this.#turn('refused', problem);
    }
  }

  #turn(state, problem) {
    this.problem = problem;
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event('state'));
  }

  #take(type, data) {
    if (type === 'snapshot') {
      this.known = true;
      this.#byId = new Map(data.items.map((item) => [item.id, item]));
    } else if (type === 'buffer') {
      this.#byId.set(data.id, data);
    } else if (type === 'gone') {
      this.#byId.delete(data.id);
    }
    const id = type === 'snapshot' ? null : data.id;
    this.dispatchEvent(new CustomEvent('change', { detail: id }));
  }
}
