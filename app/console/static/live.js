// The buffers that the viewer may see, kept up to date by the service's events.

/**
 * What GET /buffers/events tells: the snapshot, a buffer, or the id of one that is gone.
 * @import { Api, StreamState } from './api.js'
 * @import { BufferView } from '../types.js'
 * @typedef {{items: BufferView[]}} Snapshot
 * @typedef {{id: string}} Gone
 */

/**
 * Tells `change` when a buffer changed (detail: its id) or all did (detail: null), and `state` when
 * the connection is lost or there again. `all` is newest share first.
 */
export class LiveBuffers extends EventTarget {
  /** @type {Map<string, BufferView>} */
  #byId = new Map();
  #ending = new AbortController();
  /** @type {'connecting' | 'refused' | StreamState} */
  state = 'connecting';
  known = false; // whether there was a snapshot: nothing is not the same as not known yet
  /** @type {unknown} */
  problem = null; // why nothing comes, where that is known

  /** @param {Api} api */
  constructor(api) {
    super();
    this.api = api;
    this.listen();
  }

  /** Begins anew, as with another token; what there is stays until there is newer. */
  listen() {
    this.#ending.abort();
    this.#ending = new AbortController();
    void this.#listen(this.#ending.signal);
  }

  get all() {
    return [...this.#byId.values()].sort((a, b) => b.started_at.localeCompare(a.started_at) || b.id.localeCompare(a.id));
  }

  /** @param {string} id */
  get(id) {
    return this.#byId.get(id);
  }

  close() {
    this.#ending.abort();
  }

  /** @param {AbortSignal} signal */
  async #listen(signal) {
    try {
      await this.api.events('/buffers/events', {}, {
        onEvent: (type, /** @type {Snapshot | BufferView | Gone} */ data) => this.#take(type, data),
        onState: (state, problem) => this.#turn(state, problem),
        signal,
      });
    } catch (problem) {
      this.#turn('refused', problem);
    }
  }

  /**
   * @param {'refused' | StreamState} state
   * @param {unknown} problem
   */
  #turn(state, problem) {
    this.problem = problem;
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event('state'));
  }

  /**
   * @param {string} type
   * @param {Snapshot | BufferView | Gone} data
   */
  #take(type, data) {
    if ('items' in data) {
      this.known = true;
      this.#byId = new Map(data.items.map((item) => [item.id, item]));
    } else if (type === 'buffer') {
      this.#byId.set(data.id, /** @type {BufferView} */ (data));
    } else if (type === 'gone') {
      this.#byId.delete(data.id);
    }
    const id = 'items' in data ? null : data.id;
    this.dispatchEvent(new CustomEvent('change', { detail: id }));
  }
}
