// What a program does with the client that openapi-typescript makes: see test_generated_clients.py.

import createClient from 'openapi-fetch';

import type { components, paths } from './schema.js';

declare const process: { argv: string[] };

const [baseUrl = '', token, room = ''] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });

const session = await client.GET('/v1/session');
const buffers = await client.GET('/v1/buffers', { params: { query: { room, limit: 1 } } });
const buffer = buffers.data?.items[0];
const state: components['schemas']['BufferState'] | undefined = buffer?.state;
const given: components['schemas']['CaptureRequest'] = { room, last: '5s', tail: 'skip', cut: 'segment' };
const accepted = await client.POST('/v1/captures', { body: given });
const refused = await client.POST('/v1/captures', { body: { room, last: '0s' } });
const type: components['schemas']['InvalidProblem']['type'] | string | undefined = refused.error?.type;

console.log(
  JSON.stringify({
    identity: session.data?.identity,
    buffer: buffer?.id,
    state,
    status: accepted.data?.status,
    problem: type,
  }),
);
