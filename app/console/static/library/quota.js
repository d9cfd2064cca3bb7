// How much of their quota the viewer uses: a bar, and the same in words.

import { h, set } from '../dom.js';
import { inWords } from '../telling.js';
import { bytes } from '../times.js';
import { texts } from '../texts.js';

/**
 * @import { QuotaView } from '../../types.js'
 * @import { Api } from '../api.js'
 */

const own = texts.library.quota;
const NEAR = 0.9;

/**
 * The bar. `update()` asks anew; it may be called as often as anything changes.
 *
 * @param {Api} api
 * @param {{leads?: boolean}} options `leads`: to what takes the quota
 */
export function quotaBar(api, { leads = true } = {}) {
  const used = h('span', { class: 'used' });
  const reserved = h('span', { class: 'reserved' });
  const bar = h('div', { class: 'usage', 'aria-hidden': 'true' }, used, reserved);
  const words = h('p', { class: 'words', role: 'status' }, own.loading);
  const more = leads && h('a', { href: '#/clips?space=1' }, texts.library.space.link);
  const element = h('section', { class: 'quota', 'aria-label': own.name }, bar, h('div', {}, words, more));

  async function update() {
    try {
      show(await api.get('/quota'));
    } catch (error) {
      words.textContent = inWords(error);
    }
  }

  /** @param {QuotaView} quota */
  function show(quota) {
    const whole = quota.quota_bytes;
    const free = Math.max(0, whole - quota.used_bytes - quota.reserved_bytes);
    const part = (/** @type {number} */ count) => (whole ? Math.min(1, count / whole) : 1);
    used.style.width = `${part(quota.used_bytes) * 100}%`;
    reserved.style.width = `${part(quota.reserved_bytes) * 100}%`;
    const full = part(quota.used_bytes + quota.reserved_bytes);
    set(element, { 'data-level': full >= 1 ? 'full' : full >= NEAR ? 'near' : 'fine' });
    const said = [
      own.used(bytes(quota.used_bytes), bytes(whole), bytes(free)),
      quota.reserved_bytes > 0 && own.reserved(bytes(quota.reserved_bytes)),
      full >= 1 ? own.full : full >= NEAR && own.near,
    ];
    words.textContent = said.filter(Boolean).join(' ');
  }

  return { element, update };
}
