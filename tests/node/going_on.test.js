// going_on.js: a film goes on where its URL has ended, once, until it plays again.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { goOn } from '../../app/console/static/going_on.js';

class Film extends EventTarget {
  src = 'first';
  currentTime = 7;
  paused = true;
  played = 0;

  getAttribute() {
    return this.src || null;
  }

  async play() {
    this.played += 1;
  }

  /** @param {string} name */
  async tell(name) {
    this.dispatchEvent(new Event(name));
    await new Promise((resolve) => setTimeout(resolve));
  }
}

function watched() {
  const film = new Film();
  const told = { asked: 0, failed: 0, next: async () => `url ${told.asked}` };
  goOn(
    /** @type {any} */ (film),
    () => {
      told.asked += 1;
      film.currentTime = 0; // as a browser does when it gets another source
      return told.next();
    },
    () => (told.failed += 1),
  );
  return { film, told };
}

test('it goes on where it was, and plays if it did', async () => {
  const { film, told } = watched();
  await film.tell('error');
  assert.deepEqual([film.src, film.currentTime, film.played, told.failed], ['url 1', 7, 0, 0]);
  film.paused = false;
  await film.tell('playing');
  film.currentTime = 9;
  await film.tell('error');
  assert.deepEqual([film.src, film.currentTime, film.played, told.failed], ['url 2', 9, 1, 0]);
});

test('what a new URL does not help is told', async () => {
  const { film, told } = watched();
  await film.tell('error');
  await film.tell('error');
  assert.deepEqual([told.asked, told.failed], [1, 1]);
  await film.tell('playing');
  told.next = () => Promise.reject(new Error('no clip'));
  await film.tell('error');
  assert.deepEqual([told.asked, told.failed, film.src], [2, 2, 'url 1']);
});

test('a film that was let go of asks for nothing', async () => {
  const { film, told } = watched();
  film.src = '';
  await film.tell('error');
  assert.deepEqual([told.asked, told.failed], [0, 0]);
});
