import assert from 'node:assert/strict';
import type { Case } from '../case.ts';
import { type Answer, type Client, errorOf } from '../client.ts';
import { sendRaw } from '../raw.ts';

const UUID = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/;

interface Refusal {
  readonly name: string;
  readonly needs?: 'settings';
  readonly ask: (client: Client) => Promise<Answer>;
  readonly status: number;
  readonly code: string;
  /** Of the error or the headers, more that must be there. */
  readonly also?: (error: Readonly<Record<string, unknown>>, headers: Headers) => void;
}

const REFUSALS: readonly Refusal[] = [
  {
    name: 'broken JSON',
    ask: async (client) => client.post('{"model":'),
    status: 400,
    code: 'invalid_json',
  },
  {
    name: 'a body without a model',
    ask: async (client) => client.post('{}'),
    status: 400,
    code: 'missing_model',
    also: ({ param }) => assert.equal(param, 'model'),
  },
  {
    name: 'a list of nothing',
    ask: async (client) => client.post('{"model":" , "}'),
    status: 400,
    code: 'invalid_model_list',
  },
  {
    name: 'a model that is misspelt, with a suggestion',
    needs: 'settings',
    ask: async (client) => client.chat(`${client.world.model}x`),
    status: 400,
    code: 'unknown_model',
    also: ({ message }) => assert.match(String(message), /did you mean/i),
  },
  {
    name: 'a compressed body',
    ask: async (client) => client.post('{}', { headers: { 'content-encoding': 'gzip' } }),
    status: 415,
    code: 'unsupported_encoding',
  },
  {
    name: 'a path that is not served',
    ask: async (client) => client.ask('/v1/nothing'),
    status: 404,
    code: 'not_found',
  },
  {
    name: "another path of OpenAI's, with what is served instead",
    ask: async (client) => client.post('{}', { path: '/v1/embeddings' }),
    status: 404,
    code: 'not_found',
    also: ({ message }) => assert.match(String(message), /\/v1\/chat\/completions/),
  },
  {
    name: 'the wrong method',
    ask: async (client) => client.ask('/v1/chat/completions'),
    status: 405,
    code: 'method_not_allowed',
    also: (_, headers) => assert.match(headers.get('allow') ?? '', /\bPOST\b/),
  },
  {
    name: 'a nonce that is none',
    ask: async (client) => client.ask(`/chutes/${encodeURIComponent(client.world.model)}/evidence?nonce=1`),
    status: 400,
    code: 'invalid_nonce',
  },
];

export const ERRORS: readonly Case[] = [
  ...REFUSALS.map(({ name, needs, ask, status, code, also }): Case => ({
    name: `${name}: ${status} ${code}`,
    needs,
    run: async (client) => {
      const answer = await ask(client);
      assert.equal(answer.status, status);
      const error = errorOf(answer);
      assert.equal(error['code'], code);
      assert.equal(error['type'], 'invalid_request_error');
      assert.ok(answer.headers.get('x-request-id'));
      also?.(error, answer.headers);
    },
  })),
  {
    name: 'two lengths on the wire: 400 bad_request, and the connection is closed',
    needs: 'settings',
    run: async ({ world }) => {
      const head = 'POST /v1/chat/completions HTTP/1.1\r\nHost: smoke.test\r\nContent-Length: 2\r\n';
      const received = await sendRaw(world.url, `${head}Transfer-Encoding: chunked\r\n\r\n{}`);
      assert.match(received, /^HTTP\/1\.1 400 /);
      assert.match(received, /"code":"bad_request"/);
    },
  },
];

export const REQUEST_ID: readonly Case[] = [
  {
    name: "a client's own comes back",
    run: async (client) => {
      const headers = { 'x-request-id': 'smoke/1' };
      const answer = await client.ask('/v1/models', { headers });
      assert.equal(answer.headers.get('x-request-id'), 'smoke/1');
    },
  },
  {
    name: 'a request without one gets a new one',
    run: async (client) => {
      const ids = await Promise.all(
        ['/v1/models', '/v1/nothing'].map(async (path) => {
          const { headers } = await client.ask(path);
          return headers.get('x-request-id') ?? '';
        }),
      );
      for (const id of ids) assert.match(id, UUID);
      assert.notEqual(ids[0], ids[1]);
    },
  },
];
