// What saving other rules of a community does to what goes on there, in words.

import { texts } from '../texts.js';

/** @import { ConfigRequest, ConfigView } from '../../types.js' */

const said = texts.admin.communities.effects;

/**
 * What a change ends or holds up at once; nothing of rules that it leaves as they are.
 *
 * @param {ConfigView} now
 * @param {ConfigRequest} change null is the instance's rule; what is left out stays
 * @returns {string[]}
 */
export function effects(now, change) {
  const then = { ...now };
  for (const [name, value] of Object.entries(change)) {
    const wanted = value ?? now.defaults[/** @type {keyof typeof now.defaults} */ (name)];
    Object.assign(then, { [name]: wanted });
  }
  const isClosed = then.access === 'rbac' && now.access !== 'rbac';
  /** @type {(string | false)[]} */
  const told = [
    now.enabled && !then.enabled && said.off,
    isClosed && said.roles,
    (isClosed || then.capture_policy !== now.capture_policy) && said.rights,
    then.retention_minutes < now.retention_minutes && said.shorter(then.retention_minutes),
    (then.max_concurrent < now.max_concurrent || then.max_concurrent_per_user < now.max_concurrent_per_user) && said.fewer,
  ];
  return told.filter((each) => each !== false);
}
