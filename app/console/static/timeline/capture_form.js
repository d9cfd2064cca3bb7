// Asking for a clip of the selection.

import { h } from '../dom.js';
import { freshKey } from '../fresh_key.js';
import { insistently, isPassing } from '../insisting.js';
import { Problem } from '../api.js';
import { length } from '../times.js';
import { inWords } from '../telling.js';
import { texts } from '../texts.js';
import { captureWindow, recorded } from './capture_window.js';

/**
 * @import { Accepted, CaptureRequest } from '../../types.js'
 * @import { Desk } from './buffer.js'
 * @typedef {NonNullable<CaptureRequest['cut']>} Cut
 * @typedef {CaptureRequest & {start: string, end: string, cut: Cut}} Asked
 */

const MISSING_MS = 500; // what is less is the end of a picture, not worth a word
const t = texts.timeline.capture;

/**
 * The panel, below what the window is chosen with; `accepted(asked, answer)` is told of each capture
 * that will be made.
 *
 * @param {Desk} desk
 * @param {Node[]} choosing
 * @param {(asked: Asked, answer: Accepted) => void} accepted
 */
export function captureForm({ api, buffer, selection, session }, choosing, accepted) {
  const { title_length: titleLength, post_roll_seconds: mostRoll } = session.facts.limits;
  /** @type {{named: string, body: Asked, key: string} | null} */
  let pending = null; // a request whose outcome is not known yet
  let suggested = ''; // the title that a marker gave, unless another one was typed

  const title = h('input', {
    id: 'capture-title',
    name: 'title',
    type: 'text',
    maxlength: titleLength,
    placeholder: t.titleHint,
    autocomplete: 'off',
    dir: 'auto',
  });
  const cuts = radios('cut', t.cut, ['precise', 'exact'], t.cuts);
  const gaps = radios('gaps', t.gaps, ['skip', 'keep'], t.gapsTold);
  const postRoll = h('input', {
    id: 'post-roll',
    name: 'post_roll',
    type: 'number',
    min: 0,
    max: mostRoll,
    step: 1,
    value: 0,
    inputmode: 'numeric',
    'aria-describedby': 'post-roll-hint',
  });
  const rolling = h(
    'div',
    { class: 'row' },
    h('label', { for: 'post-roll' }, t.postRoll),
    postRoll,
    h('span', { id: 'post-roll-hint', class: 'hint' }, t.postRollHint(mostRoll)),
  );
  const options = h('details', { class: 'options' }, h('summary', {}, t.options), cuts.element, gaps.element, rolling);
  const summary = h('p', { class: 'summary' });
  const lost = h('p', { class: 'warn-text', role: 'status' });
  const wrong = h('p', { class: 'bad-text', role: 'alert', hidden: true });
  const submit = h('button', { class: 'primary' }, t.submit);
  const form = h(
    'form',
    { class: 'capture', onsubmit: (event) => (event.preventDefault(), void send()) },
    h('label', { for: 'capture-title', class: 'visually-hidden' }, t.title),
    title,
    lost,
    wrong,
    h('div', { class: 'go' }, summary, submit),
    options,
  );
  for (const source of [buffer, selection]) source.addEventListener('change', show);
  form.addEventListener('input', show);
  show();
  const heading = h('h2', { id: 'capture-heading' }, t.heading);
  return h('section', { class: 'card panel capture-panel', 'aria-labelledby': 'capture-heading' }, heading, choosing, form);

  function show() {
    rolling.hidden = !buffer.goesOn;
    const { end, open, most, named } = selection;
    if (title.value === suggested) title.value = named;
    suggested = named;
    const { start, roll } = asking();
    const long = length((end - start) / 1000);
    const words = [t.summary(long, { open, roll: roll / 1000 })];
    const cut = start - selection.start;
    if (cut) words.push(t.startsLater(length(cut / 1000, { tenths: true }), length(most / 1000)));
    put(summary, words.join(' '));
    const gone = buffer.lostOf({ start, end });
    const all = gone >= end - start;
    const there = recorded(buffer.spans, { start, end });
    const isShort = end - start - there > MISSING_MS;
    const short = isShort ? t.holds(length(there / 1000), length((end - start) / 1000)) : '';
    put(lost, gone ? t.lost(length(gone / 1000, { tenths: true }), all) : short);
    gaps.element.hidden = !buffer.gaps.some((gap) => gap.start < end && gap.end > start);
    submit.disabled = buffer.lost || all || form.classList.contains('sending');
  }

  /** What is asked for, in ms. */
  function asking() {
    return captureWindow(selection, {
      newest: buffer.extent.newest,
      now: api.now(),
      roll: rolling.hidden ? 0 : Number(postRoll.value) * 1000,
      mostRoll: mostRoll * 1000,
    });
  }

  function asked() {
    const { start, end, roll, more } = asking();
    /** @type {{cut: Cut, title?: string, gaps?: CaptureRequest['gaps']}} */
    const choice = { cut: cuts.value };
    if (title.value.trim()) choice.title = title.value;
    if (!gaps.element.hidden) choice.gaps = gaps.value;
    // By what was chosen: while it is open, what that comes to changes from moment to moment.
    const named = JSON.stringify([choice, selection.start, selection.end, selection.open, roll]);
    /** @type {Asked} */
    const body = { buffer_id: buffer.id, start: instant(start), end: instant(end), ...choice };
    if (more) body.post_roll = more / 1000;
    return { named, body };
  }

  async function send() {
    if (!postRoll.checkValidity()) options.open = true;
    if (!postRoll.reportValidity()) return;
    const { named, body } = asked();
    // Pressed again for the same after an answer was lost, it is the same request.
    if (pending?.named !== named) pending = { named, body, key: freshKey() };
    busy(true);
    try {
      const { body: wanted, key } = pending;
      /** @type {() => Promise<Accepted>} */
      const ask = () => api.post('/captures', wanted, { 'Idempotency-Key': key });
      const answer = await insistently(ask, () => tell(t.again));
      accepted(pending.body, answer);
      pending = null;
      title.value = '';
      tell('');
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (!isPassing(error)) pending = null;
      tell(error.status === 0 ? t.unknownOutcome : inWords(error));
    } finally {
      busy(false);
    }
  }

  /** @param {boolean} sending */
  function busy(sending) {
    form.classList.toggle('sending', sending);
    submit.textContent = sending ? t.sending : t.submit;
    show();
  }

  /** @param {string} words */
  function tell(words) {
    wrong.hidden = !words;
    wrong.textContent = words;
  }
}

/** @param {number} milliseconds */
const instant = (milliseconds) => new Date(milliseconds).toISOString();

/**
 * @param {HTMLElement} element
 * @param {string} words
 */
function put(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

/**
 * @template {string} Choice
 * @param {string} name
 * @param {string} legend
 * @param {Choice[]} values the first is chosen
 * @param {Record<Choice, {name: string, hint: string}>} words
 */
function radios(name, legend, values, words) {
  const choices = values.map((value, place) => {
    const id = `${name}-${value}`;
    const described = { 'aria-describedby': `${id}-hint` };
    const input = h('input', { type: 'radio', name, value, id, checked: place === 0, ...described });
    return { value, input };
  });
  const element = h(
    'fieldset',
    { class: 'choices' },
    h('legend', {}, legend),
    choices.map(({ value, input }) =>
      h(
        'div',
        { class: 'choice' },
        input,
        h('label', { for: input.id }, words[value].name),
        h('span', { class: 'hint', id: `${input.id}-hint` }, words[value].hint),
      ),
    ),
  );
  return {
    element,
    get value() {
      return (choices.find(({ input }) => input.checked) ?? choices[0]).value;
    },
  };
}
