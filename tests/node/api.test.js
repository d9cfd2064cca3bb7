// api.js: asking the service, and hearing what it tells.

import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { mock, test } from 'node:test';

import { Problem } from '../../app/console/static/api.js';
import { serve, stream, tell } from './service.js';

test('URLs lie where the page lies, and leave out what is not asked', async (t) => {
  const { url, api } = await serve(t, () => {});
  const query = { room: 'a b&c', next: null, owner: undefined, title: '', limit: 0 };
  assert.equal(api().url('/clips', query), `${url}clips?room=a+b%26c&limit=0`);
  assert.equal(api().url('clips'), `${url}clips`);
});

test('each request carries the token, and a body as JSON', async (t) => {
  const asked = [];
  const service = await serve(t, (request, response) => {
    const { authorization, 'content-type': type, 'idempotency-key': key } = request.headers;
    asked.push([request.method, request.url, authorization, type, key, request.text]);
    tell(response, { told: true });
  });
  const api = service.api();
  assert.deepEqual(await api.get('/clips', { next: 'x' }), { told: true });
  await api.post('/captures', { last: 30 }, { 'Idempotency-Key': 'once' });
  await api.put('/users/a/quota', { quota_bytes: null });
  await api.patch('/clips/c', { keep: true });
  await api.delete('/clips/c');
  const json = 'application/json';
  assert.deepEqual(asked, [
    ['GET', '/deep/v1/clips?next=x', 'Bearer a-token', undefined, undefined, ''],
    ['POST', '/deep/v1/captures', 'Bearer a-token', json, 'once', '{"last":30}'],
    ['PUT', '/deep/v1/users/a/quota', 'Bearer a-token', json, undefined, '{"quota_bytes":null}'],
    ['PATCH', '/deep/v1/clips/c', 'Bearer a-token', json, undefined, '{"keep":true}'],
    ['DELETE', '/deep/v1/clips/c', 'Bearer a-token', undefined, undefined, ''],
  ]);
});

test('another Authorization may be shown in its place: a token is exchanged for one', async (t) => {
  const shown = [];
  const service = await serve(t, (request, response) => {
    shown.push(request.headers.authorization);
    tell(response, {});
  });
  await service.api().post('/session', {}, { Authorization: 'Bearer pasted' });
  assert.deepEqual(shown, ['Bearer pasted']);
});

test('an answer without a body is null', async (t) => {
  const service = await serve(t, (_, response) => response.writeHead(204).end());
  assert.equal(await service.api().delete('/clips/c'), null);
});

test('a refusal is a Problem with its slug, its facts and its words', async (t) => {
  const document = { type: 'window-too-long', title: 'Too long', detail: 'it is', max_seconds: 600 };
  const service = await serve(t, (_, response) => tell(response, document, 413));
  const problem = await service.api().get('/x').catch((error) => error);
  assert.ok(problem instanceof Problem);
  assert.deepEqual([problem.status, problem.type, problem.message], [413, 'window-too-long', 'it is']);
  assert.deepEqual(problem.document, document);
  assert.deepEqual(service.refused, []);
});

test('a refusal that is no document, as a proxy’s, is a Problem all the same', async (t) => {
  const service = await serve(t, (_, response) => response.writeHead(502, 'Bad Gateway').end('<h1>502</h1>'));
  const problem = await service.api().get('/x').catch((error) => error);
  assert.ok(problem instanceof Problem);
  assert.deepEqual([problem.status, problem.type, problem.message], [502, 'unknown', 'Bad Gateway']);
});

test('that a token is not taken any more is told, with the token that was shown', async (t) => {
  const service = await serve(t, (_, response) => tell(response, { type: 'unauthorized' }, 401));
  await assert.rejects(service.api('old').get('/x'), { status: 401 });
  assert.deepEqual(service.refused, ['old']);
});

test('a service that is not there is a Problem of its own kind', async (t) => {
  const { api } = await serve(t, (request) => request.socket.destroy());
  await assert.rejects(api().get('/x'), { status: 0, type: 'unreachable' });
});

test('what is not wanted any more is no problem of the service', async (t) => {
  const { api } = await serve(t, () => {});
  const ending = new AbortController();
  const asking = api().get('/x', {}, { signal: ending.signal });
  ending.abort();
  await assert.rejects(asking, { name: 'AbortError' });
});

const HOUR = 3_600_000;

/** An Api that has been answered by a service whose clock is `ahead` ms before ours. */
async function answered(t, ...ahead) {
  const dates = ahead.map((by) => new Date(Date.now() + by).toUTCString());
  const service = await serve(t, (_, response) => {
    const date = dates.shift();
    if (date === undefined) response.sendDate = false;
    tell(response, {}, 200, date === undefined ? {} : { Date: date });
  });
  const api = service.api();
  for (let each = 0; each < Math.max(ahead.length, 1); each++) await api.get('/x');
  return api;
}

test('the service’s clock is told within a second or so, however wrong the viewer’s is', async (t) => {
  for (const ahead of [HOUR, -HOUR]) {
    const api = await answered(t, ahead);
    const wrong = Math.abs(api.now() - (Date.now() + ahead));
    assert.ok(wrong < 1_500, `${wrong} ms`);
  }
});

test('as far as can be told the clocks agree: then it is the viewer’s own', async (t) => {
  mock.timers.enable({ apis: ['Date'], now: Date.now() });
  t.after(() => mock.timers.reset());
  for (const ahead of [0, -500]) assert.equal((await answered(t, ahead)).now(), Date.now());
});

test('a service that tells no time has the viewer’s', async (t) => {
  mock.timers.enable({ apis: ['Date'], now: Date.now() });
  t.after(() => mock.timers.reset());
  assert.equal((await answered(t)).now(), Date.now());
});

test('a clock that was set anew is believed', async (t) => {
  const api = await answered(t, HOUR, HOUR, -HOUR);
  assert.ok(Math.abs(api.now() - (Date.now() - HOUR)) < 1_500);
});

/** Listens to /events; resolves with what was heard once `until(heard)`. */
function listen(api, until) {
  const heard = [];
  const ending = new AbortController();
  const over = api.events('/events', {}, {
    onEvent: (...event) => note(event),
    onState: (state, problem) => note([state, problem?.status ?? null]),
    signal: ending.signal,
  });
  function note(one) {
    heard.push(one);
    if (until(heard)) ending.abort();
  }
  return over.then(() => heard);
}

test('events are heard as they come', async (t) => {
  const service = await serve(t, (request, response) => {
    assert.equal(request.headers.accept, 'text/event-stream');
    const send = stream(response);
    send('snapshot', { items: [] });
    response.write(': ping\n\n');
    send('gone', { id: 'b' });
  });
  const heard = await listen(service.api(), ({ length }) => length === 3);
  assert.deepEqual(heard, [['open', null], ['snapshot', { items: [] }], ['gone', { id: 'b' }]]);
});

test('a stream that ends, as each does with its token, is opened again, and was never lost', async (t) => {
  let opened = 0;
  const service = await serve(t, (_, response) => {
    stream(response)('number', ++opened);
    response.end();
  });
  const heard = await listen(service.api(), (all) => all.at(-1)[1] === 2);
  assert.deepEqual(heard, [['open', null], ['number', 1], ['open', null], ['number', 2]]);
});

test('streams that have ended leave nothing with the page, where AbortSignal.any is missing', async (t) => {
  const known = AbortSignal.any;
  delete AbortSignal.any;
  t.after(() => Object.defineProperty(AbortSignal, 'any', { value: known, configurable: true, writable: true }));
  const service = await serve(t, (_, response) => (stream(response)('number', 1), response.end()));
  const page = new AbortController();
  const listening = [];
  await service.api().events('/events', {}, {
    onEvent: () => {
      listening.push(getEventListeners(page.signal, 'abort').length);
      if (listening.length === 2) page.abort();
    },
    signal: page.signal,
  });
  assert.equal(listening[1], listening[0]);
});

test('it is lost while the service is away, for whatever passing reason, and then there again', async (t) => {
  const reasons = [
    (request) => request.socket.destroy(),
    (_, response) => tell(response, { type: 'unavailable' }, 503),
  ];
  const service = await serve(t, (request, response) => {
    const reason = reasons.shift();
    if (reason) reason(request, response);
    else stream(response)('there', true);
  });
  const heard = await listen(service.api(), (all) => all.at(-1)[0] === 'there');
  assert.deepEqual(heard, [['lost', 0], ['lost', 503], ['open', null], ['there', true]]);
});

test('it ends where the service refuses for good', async (t) => {
  for (const status of [401, 403, 404]) {
    const service = await serve(t, (_, response) => tell(response, { type: 'no' }, status));
    await assert.rejects(listen(service.api(), () => false), { status });
  }
});

test('nobody listens any more once it is ended', async (t) => {
  let closed;
  const service = await serve(t, (_, response) => {
    closed = once(response, 'close');
    stream(response)('first', 1);
  });
  await listen(service.api(), (all) => all.at(-1)[0] === 'first');
  await closed;
});
