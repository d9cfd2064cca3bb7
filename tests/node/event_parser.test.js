// EventParser of api.js: server-sent events, however the network cuts them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EventParser } from '../../app/console/static/api.js';

/** What is heard of a stream that comes in these pieces. */
function heard(...pieces) {
  const events = [];
  const parser = new EventParser((type, data) => events.push([type, data]));
  for (const piece of pieces) parser.push(piece);
  return events;
}

test('an event has a type and JSON', () => {
  assert.deepEqual(heard('event: buffer\ndata: {"id": "one"}\n\n'), [['buffer', { id: 'one' }]]);
});

test('without a type it is a message, also after one that had one', () => {
  const stream = 'event: gone\ndata: 1\n\ndata: 2\n\n';
  assert.deepEqual(heard(stream), [['gone', 1], ['message', 2]]);
});

test('lines of data are joined', () => {
  assert.deepEqual(heard('data: {"a":\ndata: 1}\n\n'), [['message', { a: 1 }]]);
});

test('a space after the colon belongs to the format, a second one to the data', () => {
  assert.deepEqual(heard('event:buffer\ndata:" x"\n\n'), [['buffer', ' x']]);
  assert.deepEqual(heard('event:  two\ndata: 1\n\n'), [[' two', 1]]);
});

test('comments, which are heartbeats, ids, and fields that nobody knows are no events', () => {
  assert.deepEqual(heard(': ping\n\n', 'id: 7\nretry: 100\n\n', 'unknown\n\n', '\n\n\n'), []);
});

test('a type without data is no event, and is forgotten', () => {
  assert.deepEqual(heard('event: gone\n\ndata: 1\n\n'), [['message', 1]]);
});

test('what is not ended yet is not told', () => {
  assert.deepEqual(heard('event: buffer\ndata: 1\n'), []);
  assert.deepEqual(heard('data: 1'), []);
});

test('any way of ending lines will do', () => {
  for (const end of ['\n', '\r\n', '\r']) {
    const stream = `event: buffer${end}data: 1${end}${end}data: 2${end}${end}`;
    // A \r at the end of what came may be the first half of \r\n: the next piece tells.
    assert.deepEqual(heard(stream, ': ping\n'), [['buffer', 1], ['message', 2]], JSON.stringify(end));
  }
});

test('it makes no difference where a stream is cut', () => {
  for (const end of ['\n', '\r\n', '\r']) {
    const lines = ['event: buffer', 'data: {"who": "zoë 🎬",', 'data: "at": 1}', '', ': ping', '', 'data: 2', '', ''];
    const stream = `${lines.join(end)}:${end}`;
    const whole = heard(stream);
    assert.equal(whole.length, 2);
    for (let cut = 0; cut <= stream.length; cut++)
      assert.deepEqual(heard(stream.slice(0, cut), stream.slice(cut)), whole, `${JSON.stringify(end)} at ${cut}`);
    assert.deepEqual(heard(...stream), whole);
  }
});

test('values may hold colons', () => {
  assert.deepEqual(heard('event: a:b\ndata: "c:d"\n\n'), [['a:b', 'c:d']]);
});

test('data that is not JSON is thrown, not swallowed', () => {
  assert.throws(() => heard('data: {\n\n'), SyntaxError);
});
