// watching/: what of a share is fetched as it is recorded, and how near the picture stays to it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { distance, edge } from '../../app/console/static/watching/edge.js';
import { startOf, typeOf } from '../../app/console/static/watching/fragment.js';
import { endOf, newerThan, partsOf } from '../../app/console/static/watching/playlist.js';

const BASE = 'https://replay.example/v1/buffers/b/playlist.m3u8?last=10';
const PLAYLIST = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:2
#EXT-X-MAP:URI="/v1/segments/s1-aa.mp4?sig=1"
#EXT-X-PROGRAM-DATE-TIME:2026-01-31T12:00:00.000Z
#EXTINF:2.000000,
/v1/segments/s1-7.m4s?sig=1
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="/v1/segments/s2-bb.mp4?sig=2"
#EXT-X-PROGRAM-DATE-TIME:2026-01-31T12:00:10.500Z
#EXTINF:2.000000,
/v1/segments/s2-0.m4s?sig=2
#EXTINF:1.500000,
/v1/segments/s2-1.m4s?sig=2
#EXT-X-ENDLIST
`;
const NOON = Date.UTC(2026, 0, 31, 12);

test('each part of a playlist has its init segment, each segment its instant', () => {
  const [one, other] = partsOf(PLAYLIST, BASE);
  assert.equal(one.init, 'https://replay.example/v1/segments/s1-aa.mp4?sig=1');
  assert.deepEqual(one.segments.map(({ start }) => start), [NOON]);
  assert.deepEqual(other.segments.map(({ start }) => start - NOON), [10_500, 12_500]);
  assert.equal(endOf(other.segments[1]) - NOON, 14_000);
});

test('an empty playlist has no part', () => {
  assert.deepEqual(partsOf('#EXTM3U\n#EXT-X-ENDLIST\n', BASE), []);
});

test('a segment is known by its name, whatever its URL is signed with', () => {
  const [, part] = partsOf(PLAYLIST, BASE);
  const [, again] = partsOf(PLAYLIST.replaceAll('sig=2', 'sig=3'), BASE);
  const names = (segments) => segments?.map(({ name }) => name);
  assert.deepEqual(names(newerThan(again, part.segments[0].name)), ['/v1/segments/s2-1.m4s']);
  assert.deepEqual(newerThan(again, part.segments[1].name), []);
});

test('what has been left behind begins anew', () => {
  const [one, other] = partsOf(PLAYLIST, BASE);
  assert.equal(newerThan(other, one.segments[0].name), null);
  assert.equal(newerThan(other, null), null);
});

const box = (kind, ...content) => {
  const body = Buffer.concat(content);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length + 8);
  head.write(kind, 4);
  return Buffer.concat([head, body]);
};

test('the codecs are read of the init segment', () => {
  const picture = box('avcC', Buffer.from([1, 0x64, 0, 0x1f, 0xff]));
  assert.equal(typeOf(box('moov', picture, box('mp4a'))), 'video/mp4; codecs="avc1.64001f, mp4a.40.2"');
  assert.equal(typeOf(box('moov', picture)), 'video/mp4; codecs="avc1.64001f"');
  assert.throws(() => typeOf(box('moov', box('mp4a'))), RangeError);
});

test('where a fragment begins is read of its first track', () => {
  const times = (ticks) => {
    const content = Buffer.alloc(12);
    content[0] = 1;
    content.writeBigUInt64BE(BigInt(ticks), 4);
    return box('traf', box('tfdt', content));
  };
  const fragment = box('moof', box('mfhd', Buffer.alloc(8)), times(90_000 * 100_000 + 45_000), times(1));
  assert.equal(startOf(fragment), 100_000.5);
  assert.throws(() => startOf(fragment.subarray(0, 30)), RangeError);
  assert.throws(() => startOf(fragment.subarray(0, 50)), RangeError);
});

test('a picture that begins where it should neither runs out of media nor hurries', () => {
  for (const longest of [1_000, 2_000, 6_000]) {
    let [shown, newest] = [0, distance(longest)];
    for (let passed = 0; passed < 60_000; passed += 200) {
      if (passed > 0 && passed % longest === 0) newest += longest;
      const { seek, rate } = edge(shown, newest, longest);
      assert.deepEqual([seek, rate], [false, 1]);
      shown += 200;
      assert.ok(shown < newest, `${passed} ms, segments of ${longest} ms`);
    }
  }
});

test('what is a little late is caught up with, what is far behind is left out', () => {
  const near = distance(2_000);
  assert.ok(edge(0, near + 1_500, 2_000).rate > 1);
  assert.equal(edge(0, near + 1_500, 2_000).seek, false);
  assert.equal(edge(0, near + 60_000, 2_000).seek, true);
  assert.equal(edge(60_000, 60_000 + near, 2_000).seek, false);
});
