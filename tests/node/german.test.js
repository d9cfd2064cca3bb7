// german.js beside texts.js, and language.js: the same texts, with the same facts in them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { german } from '../../app/console/static/german.js';
import { chosen, isGerman, plurals } from '../../app/console/static/language.js';
import { english } from '../../app/console/static/texts.js';

/** Every text by its dotted name. */
function leaves(texts, path = '') {
  return Object.entries(texts).flatMap(([key, value]) => {
    const name = `${path}${key}`;
    return value && typeof value === 'object' ? leaves(value, `${name}.`) : [[name, value]];
  });
}

/** The facts that a text is given, and those of them that it says: what stands in `${…}`, or decides. */
function factsIn(text) {
  const source = String(text).replace(/\s+/g, ' ');
  const [, head, body] = /^\(?(.*?)\)? => (.*)$/.exec(source) ?? assert.fail(source);
  const names = [...head.matchAll(/[A-Za-z]\w*/g)].map(([name]) => name);
  return { names, said: names.filter((name) => new RegExp(`\\b${name}\\b`).test(body)) };
}

const [ours, theirs] = [new Map(leaves(english)), new Map(leaves(german))];

test('both languages have the same texts', () => {
  assert.deepEqual([...theirs.keys()].toSorted(), [...ours.keys()].toSorted());
});

test('each text says the same facts in both', () => {
  for (const [name, text] of ours) {
    const other = theirs.get(name);
    assert.equal(typeof other, typeof text, name);
    if (typeof text === 'function') assert.deepEqual(factsIn(other), factsIn(text), name);
    else assert.equal(/\S/.test(other), /\S/.test(text), name);
  }
});

test('keys of the keyboard are the same, but for the names that they have', () => {
  const keysOf = (texts) => leaves(texts).filter(([name]) => /keys\.\d+\.0$/.test(name));
  const same = keysOf(english).filter(([, key], place) => key === keysOf(german)[place][1]);
  assert.ok(same.length > 10);
});

test('the first language that the page is written in is chosen; English, if there is none', () => {
  assert.equal(chosen(['fr', 'de-AT', 'en']), 'de-AT');
  assert.equal(chosen(['en-GB', 'de']), 'en-GB');
  assert.equal(chosen(['fr', 'ja']), 'en');
  assert.equal(chosen([]), 'en');
  assert.deepEqual(['de', 'DE-ch', 'den', 'en'].map(isGerman), [true, true, false, false]);
});

test('counts are said by the rules of a language', () => {
  const few = { one: '1 klip', few: 'klipy', other: 'klipów' };
  assert.deepEqual([1, 2, 5].map((count) => plurals('pl')(count, few)), ['1 klip', 'klipy', 'klipów']);
  assert.equal(german.library.link.views(1), '1 Aufruf');
  assert.equal(german.library.link.views(0), '0 Aufrufe');
});
