// timeline/sprites.js and pictures.js: which small picture shows an instant, and which are missing.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cuesOf } from '../../app/console/static/pictures.js';
import { missingPieces } from '../../app/console/static/timeline/gathered.js';
import { Sprites, parse } from '../../app/console/static/timeline/sprites.js';
import { pictureAt } from '../../app/console/static/library/pictures.js';
import { serve } from './service.js';

const INDEX = `WEBVTT

NOTE start 2026-01-31T12:00:00.500Z

00:00.000 --> 00:02.000
sheet.jpg?sig=a#xywh=0,0,160,90

00:02.000 --> 00:04.500
sheet.jpg?sig=a#xywh=160,0,160,90

01:00:00.000 --> 01:00:02.000
sheet.jpg?sig=a#xywh=0,90,160,90
`;
const BASE = 'http://service/deep/buffers/b/thumbnails.vtt?start=x';
const BEGIN = Date.parse('2026-01-31T12:00:00.500Z');

test('cues tell seconds and a place on a sheet, whose URL is relative to the index', () => {
  const [first, second, third] = cuesOf(INDEX, BASE);
  const url = 'http://service/deep/buffers/b/sheet.jpg?sig=a';
  assert.deepEqual(first, { start: 0, end: 2, url, x: 0, y: 0, width: 160, height: 90 });
  assert.deepEqual([second.start, second.end, second.x], [2, 4.5, 160]);
  assert.deepEqual([third.start, third.end, third.y], [3600, 3602, 90]);
});

test('lines may end as they do on Windows', () => {
  assert.deepEqual(cuesOf(INDEX.replaceAll('\n', '\r\n').replaceAll(/(xywh=[\d,]+)\r/g, '$1'), BASE).length, 3);
});

test('an index without pictures has no cues', () => {
  assert.deepEqual(cuesOf('WEBVTT\n', BASE), []);
  assert.deepEqual(cuesOf('', BASE), []);
});

test('a buffer’s cues are on the wall clock, and know how large their sheet is', () => {
  const cues = parse(INDEX, BASE);
  assert.deepEqual(cues.map(({ start }) => start - BEGIN), [0, 2_000, 3_600_000]);
  assert.deepEqual(cues.map(({ end }) => end - BEGIN), [2_000, 4_500, 3_602_000]);
  assert.ok(cues.every(({ sheetWidth, sheetHeight }) => sheetWidth === 320 && sheetHeight === 180));
});

test('the picture at a time is the one that stands then; after the last one, that', () => {
  const cues = cuesOf(INDEX, BASE);
  assert.equal(pictureAt(cues, 0), cues[0]);
  assert.equal(pictureAt(cues, 1.99), cues[0]);
  assert.equal(pictureAt(cues, 2), cues[1]);
  assert.equal(pictureAt(cues, 1e9), cues[2]);
  assert.equal(pictureAt([], 1), undefined);
});

const span = (start, end) => ({ start, end });
const missing = ({ spans, recent = 0, newest }, pieces = [], most = 600_000) =>
  missingPieces({ spans, extent: { recent, newest } }, pieces, most);

test('at first all that is recent is missing, newest first, no more at once than may be asked for', () => {
  const spans = [span(0, 25_000)];
  assert.deepEqual(missing({ spans, newest: 25_000 }, [], 10_000), [
    span(20_000, 25_000),
    span(10_000, 20_000),
    span(0, 10_000),
  ]);
});

test('what is known is not missing', () => {
  const spans = [span(0, 30_000)];
  const pieces = [span(20_000, 25_000), span(0, 10_000)];
  assert.deepEqual(missing({ spans, newest: 30_000 }, pieces), [
    span(25_000, 30_000),
    span(10_000, 20_000),
  ]);
  assert.deepEqual(missing({ spans, newest: 30_000 }, [span(-5_000, 40_000)]), []);
});

test('less than a second is asked for together with what comes', () => {
  const spans = [span(0, 10_999)];
  assert.deepEqual(missing({ spans, newest: 10_999 }, [span(0, 10_000)]), []);
  assert.deepEqual(missing({ spans, newest: 11_000 }, [span(0, 10_000)]), [span(10_000, 11_000)]);
});

test('of what lies before what is recent, only the stretches that were marked', () => {
  const spans = [span(0, 5_000), span(100_000, 130_000)];
  assert.deepEqual(missing({ spans, recent: 120_000, newest: 130_000 }), [
    span(120_000, 130_000),
    span(100_000, 120_000),
    span(0, 5_000),
  ]);
});

test('an empty buffer misses nothing', () => {
  assert.deepEqual(missing({ spans: [], recent: 5_000, newest: 5_000 }), []);
});

test('an index without pictures is no news, and nothing that fails', async (t) => {
  const service = await serve(t, (_, response) => response.end('WEBVTT\n\nNOTE start 2026-01-31T12:00:00Z\n'));
  const spans = [span(0, 5_000)];
  const buffer = { id: 'b', api: service.api(), spans, extent: { oldest: 0, recent: 0, newest: 5_000 } };
  const sprites = new Sprites(buffer, 600_000);
  sprites.addEventListener('change', () => assert.fail('there is nothing new'));
  await sprites.keepUp();
  assert.equal(sprites.at(1_000), null);
});
