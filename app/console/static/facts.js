// What texts are told, in whichever language they are.

/**
 * A text that needs facts.
 * @template {unknown[]} Facts
 * @typedef {(...facts: Facts) => string} Saying
 */

/**
 * A problem document with the facts of its kind.
 * @import { Document } from './api.js'
 * @typedef {Required<Omit<Document, 'retry_after'>> & {retry_after?: number}} Facts
 */

/** How many bytes of a quota are left. @param {Facts} problem */
export const left = ({ quota_bytes, used_bytes, reserved_bytes }) => Math.max(0, quota_bytes - used_bytes - reserved_bytes);
