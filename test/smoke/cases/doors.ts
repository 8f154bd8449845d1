import assert from 'node:assert/strict';
import type { Case } from '../case.ts';
import { type Answer, assertOk, choiceOf, type Client } from '../client.ts';

/** What each door is asked, and how a stream of it ends. */
interface Door {
  readonly path: string;
  readonly fields: object;
  readonly last: RegExp;
  /** Whether an answer that is not streamed is one of the API's. */
  readonly isAnswer: (body: Readonly<Record<string, unknown>>) => boolean;
}

const RESPONSES: Door = {
  path: '/v1/responses',
  fields: { input: 'Say hello.', max_output_tokens: 16 },
  last: /"type" ?: ?"response\.(?:completed|incomplete)"[^\n]*\s*$/,
  isAnswer: ({ output }) => Array.isArray(output),
};
const MESSAGES: Door = {
  path: '/v1/messages',
  fields: { max_tokens: 16, messages: [{ role: 'user', content: 'Say hello.' }] },
  last: /"type" ?: ?"message_stop"[^\n]*\s*$/,
  isAnswer: ({ content }) => Array.isArray(content),
};

async function askAt(
  { path, fields }: Door,
  client: Client,
  model: string,
  stream: boolean,
): Promise<Answer> {
  return client.post(JSON.stringify({ model, stream, ...fields }), { path });
}

/** That a stream ended with an error event, and then without a clean end. */
function assertBroken({ text, isWhole }: Answer): void {
  assert.match(text, /\nevent: error\ndata: \{"type":"error",[^\n]*"code":"upstream_stream_interrupted"/);
  assert.equal(isWhole, false);
}

const CASES_OF_EACH = [RESPONSES, MESSAGES].flatMap((door): Case[] => [
  {
    name: `POST ${door.path} streams to its last event`,
    run: async (client) => {
      const answer = await askAt(door, client, client.world.alias, true);
      assertOk(answer);
      assert.match(answer.text, door.last);
      assert.equal(choiceOf(answer).attempts >= 1, true);
    },
  },
  {
    name: `POST ${door.path} answers as its API does`,
    needs: 'simulator',
    run: async (client) => {
      const answer = await askAt(door, client, client.world.alias, false);
      assertOk(answer);
      assert.equal(door.isAnswer(JSON.parse(answer.text) as Record<string, unknown>), true);
    },
  },
  {
    name: `POST ${door.path} fails over in a list`,
    needs: 'simulator',
    run: async (client) => {
      const { model } = client.world;
      const answer = await askAt(door, client, `sim/unavailable,${model}`, true);
      assertOk(answer);
      assert.deepEqual(choiceOf(answer), { selected: model, attempts: 2 });
    },
  },
  {
    name: `POST ${door.path} says so where its stream breaks`,
    needs: 'simulator',
    run: async (client) => assertBroken(await askAt(door, client, 'sim/cut-stream', true)),
  },
]);

export const DOORS: readonly Case[] = [
  ...CASES_OF_EACH,
  {
    name: 'POST /v1/messages/count_tokens counts',
    run: async (client) => {
      const { messages } = MESSAGES.fields as { messages: unknown };
      const body = JSON.stringify({ model: client.world.alias, messages });
      const answer = await client.post(body, { path: '/v1/messages/count_tokens' });
      assertOk(answer);
      assert.equal(typeof (JSON.parse(answer.text) as { input_tokens: unknown }).input_tokens, 'number');
    },
  },
  {
    name: 'an error at /v1/messages is one of Anthropic’s and one of OpenAI’s',
    run: async (client) => {
      const { status, text, headers } = await client.post('{"model":""}', { path: '/v1/messages' });
      const body = JSON.parse(text) as { type: string; request_id: string; error: Record<string, unknown> };
      assert.deepEqual(
        [status, body.type, body.error['type'], body.error['code']],
        [400, 'error', 'invalid_request_error', 'missing_model'],
      );
      assert.equal(body.request_id, headers.get('x-request-id'));
    },
  },
];
