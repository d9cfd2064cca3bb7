// A service for the modules that ask one: a real HTTP server on this machine, which answers as told.

import { createServer } from 'node:http';

import { Api } from '../../app/console/static/api.js';

/**
 * Starts one. `answer(request, response)` is called with each request, whose body is in
 * `request.text`; `api(token)` asks it as the page does. It ends with the test `t`.
 */
export async function serve(t, answer) {
  const server = createServer(async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    request.text = Buffer.concat(pieces).toString();
    answer(request, response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${server.address().port}/deep/`;
  globalThis.document = { baseURI: url }; // all that the page's Api wants of a page
  const refused = [];
  return {
    url,
    refused,
    api: (token = 'a-token') => new Api({ token: () => token, refused: (one) => refused.push(one) }),
  };
}

/** Answers with JSON; above 399 it is a problem document. */
export function tell(response, document, status = 200, headers = {}) {
  const type = status > 399 ? 'application/problem+json' : 'application/json';
  response.writeHead(status, { 'Content-Type': type, ...headers });
  response.end(JSON.stringify(document));
}

/** Begins a stream of events, which goes on until it is ended; `send(type, data)` puts one in. */
export function stream(response) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  response.flushHeaders();
  return (type, data) => response.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
}
