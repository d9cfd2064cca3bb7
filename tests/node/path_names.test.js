// admin/names.js: names of communities and people in a path, as the service reads them there.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pathName } from '../../app/console/static/admin/names.js';

const read = (name) => Buffer.from(name.slice(1), 'base64url').toString('utf8');

test('a plain name stands as it is', () => {
  for (const name of ['alice', 'A.b_c-9', 'x', 'a'.repeat(64)]) assert.equal(pathName(name), name);
});

test('any other is encoded so that nothing in it means anything in a path', () => {
  for (const name of ['a/b', '..%2f', 'zoë', '🎬 room', 'a?b#c', '~x', ' ', 'a'.repeat(65), 'a\nb', 'x\n']) {
    const encoded = pathName(name);
    assert.match(encoded, /^~[A-Za-z0-9_-]*$/, name);
    assert.equal(read(encoded), name);
  }
});

test('a name of dots leads nowhere else', () => {
  for (const name of ['.', '..']) {
    const url = new URL(`communities/${pathName(name)}/config`, 'http://service/');
    assert.equal(read(url.pathname.split('/')[2]), name);
  }
  assert.equal(pathName('...'), '...');
});

test('nobody’s name is somebody else’s', () => {
  const names = ['alice', '~alice', pathName('zoë'), 'zoë', 'zoe', ''];
  assert.equal(new Set(names.map(pathName)).size, names.length);
});

test('no name at all is encoded, too: an empty part of a path would be another path', () => {
  assert.equal(pathName(''), '~');
});
