// lists/csv.js: lists as files for spreadsheets, which do what cells tell them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { csv } from '../../app/console/static/lists/csv.js';

/** The lines of a file, without the mark before them and the end of the last. */
function lines(items) {
  const text = csv(items);
  assert.equal(text[0], '\u{feff}');
  assert.ok(text.endsWith('\r\n'));
  return text.slice(1, -2).split('\r\n');
}

test('each item is a line, under the names of all that any of them has', () => {
  assert.deepEqual(lines([{ id: 'a', count: -1.5 }, { id: 'b', room: null, on: false }]), [
    'id,count,room,on',
    'a,-1.5,,',
    'b,,,false',
  ]);
});

test('what separates cells is quoted, and stays what it is', () => {
  const [, line] = lines([{ title: 'a "b", c', data: { to: ['x', 'y'] } }]);
  assert.equal(line, '"a ""b"", c","{""to"":[""x"",""y""]}"');
  assert.match(csv([{ title: 'two\r\nlines' }]), /"two\r\nlines"\r\n$/);
});

test('no name becomes a formula', () => {
  for (const name of ['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx']) {
    const [, line] = csv([{ name }]).split(/\r\n/);
    assert.ok(line.replace(/^"/, '').startsWith(`'${name}`), name);
  }
  assert.deepEqual(lines([{ name: '=HYPERLINK("http://x","y")' }])[1], `"'=HYPERLINK(""http://x"",""y"")"`);
});

test('an empty list is an empty table', () => {
  assert.equal(csv([]), '\u{feff}\r\n');
});
