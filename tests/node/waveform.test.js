// timeline/waveform.js: how loud the sound is, asked for piece by piece, and drawn.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Waveform, isHeard, outline, partsOf } from '../../app/console/static/timeline/waveform.js';
import { serve, tell } from './service.js';

const BEGIN = Date.parse('2026-01-31T12:00:00Z');
const at = (ms) => new Date(BEGIN + ms).toISOString();
const axis = (from, to) => ({
  from: BEGIN + from,
  to: BEGIN + to,
  place: (instant) => (instant - BEGIN - from) / (to - from),
});
const part = (start, end, level) => ({ start: BEGIN + start, end: BEGIN + end, level });

test('a stretch is as many equal parts as it has levels', () => {
  const told = { stretches: [{ start: at(0), end: at(1_000), levels: [50, 0, 100, 7] }, { start: at(1_000), end: at(1_200), levels: [60] }] };
  assert.deepEqual(partsOf(told), [
    part(0, 250, 50),
    part(250, 500, 0),
    part(500, 750, 100),
    part(750, 1_000, 7),
    part(1_000, 1_200, 60),
  ]);
});

test('silence is not drawn, nor what is hardly heard', () => {
  const parts = [part(0, 500, 0), part(500, 1_000, 40)];
  assert.equal(isHeard(parts), false);
  assert.equal(outline(parts, axis(0, 1_000)), '');
  assert.equal(isHeard([...parts, part(0, 1, 41)]), true);
});

test('what is louder is higher, above and below the middle', () => {
  const parts = [part(0, 500, 70), part(500, 1_000, 100)];
  assert.equal(outline(parts, axis(0, 1_000)), 'M0-0.50H300V0.50H0zM300-1.00H600V1.00H300z');
});

test('of several parts in one place the loudest is seen', () => {
  const parts = Array.from({ length: 6_000 }, (_, place) => part(place, place + 1, place === 3_000 ? 100 : 46));
  assert.equal(outline(parts, axis(0, 6_000)), 'M0-0.10H300V0.10H0zM300-1.00H301V1.00H300zM301-0.10H600V0.10H301z');
});

test('only what the axis shows is drawn, as far as it shows it', () => {
  const parts = [part(-900, -500, 100), part(-500, 500, 100), part(5_000, 6_000, 100)];
  assert.equal(outline(parts, axis(0, 1_000)), 'M0-1.00H300V1.00H0z');
});

/** A buffer of one span, and what a service was asked of it. */
async function asked(t, audio, answer) {
  const queries = [];
  const service = await serve(t, (request, response) => {
    queries.push(new URL(request.url, service.url).searchParams);
    tell(response, answer);
  });
  const end = BEGIN + 5_000;
  const spans = [{ start: BEGIN, end, audio }];
  const extent = { oldest: BEGIN, recent: BEGIN, newest: end };
  const waveform = new Waveform({ id: 'b', api: service.api(), spans, extent }, 600_000);
  await waveform.keepUp();
  return { waveform, queries };
}

test('a part that lay partly before what is asked for is asked for, too; what was told before is not kept twice', async (t) => {
  const answer = { stretches: [{ start: at(-600), end: at(400), levels: [1, 2, 3, 4] }] };
  const { waveform, queries } = await asked(t, true, answer);
  assert.deepEqual([queries[0].get('start'), queries[0].get('end')], [at(-500), at(5_000)]);
  assert.deepEqual(waveform.parts, [part(-100, 150, 3), part(150, 400, 4)]);
});

test('of a share without sound nothing is asked', async (t) => {
  const { waveform, queries } = await asked(t, false, { stretches: [] });
  assert.deepEqual([queries, waveform.parts], [[], []]);
});

test('of hours only what the axis shows is looked at, and nothing is gathered anew until there is more', async (t) => {
  const { waveform } = await asked(t, true, { stretches: [{ start: at(0), end: at(400), levels: [1, 70] }] });
  const { parts: gathered } = waveform;
  assert.equal(waveform.parts, gathered);
  assert.equal(waveform.heard, true);
  const looked = [];
  const parts = Array.from({ length: 10_000 }, (_, place) => ({
    ...part(place * 100, (place + 1) * 100, 100),
    get level() {
      looked.push(place);
      return 100;
    },
  }));
  outline(parts, axis(500_050, 501_000));
  assert.deepEqual([looked[0], looked.at(-1)], [5_000, 5_009]);
});
