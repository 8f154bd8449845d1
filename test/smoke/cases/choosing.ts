import assert from 'node:assert/strict';
import type { Case } from '../case.ts';
import { type Answer, assertOk, choiceOf } from '../client.ts';
import { rawChat, sendRaw } from '../raw.ts';

/** Spellings that do not survive a parser: numbers, escapes, blanks, a key twice. */
const ODD = ' "n":1.0,\r\n "big": 12345678901234567890, "huge":1e400, "n": -0, "s":"\\u00e9é\\/" }';

const direct = (model: string) => `{ "model" :\t${JSON.stringify(model)},${ODD}`;

function modelIn({ text }: Answer): string {
  const { model, choices } = JSON.parse(text) as { model: string; choices: unknown[] };
  assert.equal(choices.length, 1);
  return model;
}

export const ALIAS: readonly Case[] = [
  {
    name: 'a model of the catalog answers and is named in the headers',
    run: async (client) => {
      const answer = await client.chat(client.world.alias);
      assertOk(answer);
      const { selected, attempts } = choiceOf(answer);
      assert.equal((await client.ask(`/v1/models/${selected}`)).status, 200);
      assert.ok(attempts >= 1);
      assert.notEqual(modelIn(answer), client.world.alias);
    },
  },
  {
    name: 'the model that is named is the one that answered',
    needs: 'simulator',
    run: async (client) => {
      const answer = await client.chat(client.world.alias);
      assert.equal(modelIn(answer), choiceOf(answer).selected);
    },
  },
  {
    name: 'text completions take the same way',
    needs: 'simulator',
    run: async (client) => {
      const body = JSON.stringify({ model: client.world.alias, prompt: 'Hello' });
      const answer = await client.post(body, { path: '/v1/completions' });
      assertOk(answer);
      assert.equal(modelIn(answer), choiceOf(answer).selected);
    },
  },
];

export const LIST: readonly Case[] = [
  {
    name: 'a model of the list answers',
    run: async (client) => {
      const { model, other } = client.world;
      const answer = await client.chat(`${model}, ${other}`);
      assertOk(answer);
      assert.ok([model, other].includes(choiceOf(answer).selected ?? ''));
    },
  },
  {
    name: 'the first one does, if it is well',
    needs: 'simulator',
    run: async (client) => {
      const { model, other } = client.world;
      const answer = await client.chat(`${other},${model}`);
      assert.deepEqual(choiceOf(answer), { selected: other, attempts: 1 });
    },
  },
  {
    name: 'an alias in it stands for the ranked models',
    needs: 'simulator',
    run: async (client) => {
      const answer = await client.chat(`sim/unavailable,${client.world.alias}`);
      assertOk(answer);
      assert.equal(choiceOf(answer).attempts, 2);
    },
  },
  {
    name: 'of the body, the bytes of the model alone are changed',
    needs: 'simulator',
    run: async (client) => {
      const { text } = await client.post(`{ "model" :\t"sim/unavailable, sim\\/echo",${ODD}`);
      assert.equal(text, direct('sim/echo'));
    },
  },
];

export const DIRECT: readonly Case[] = [
  {
    name: 'the model answers, and no header speaks of a choice',
    run: async (client) => {
      const answer = await client.chat(client.world.model);
      assertOk(answer);
      assert.equal(modelIn(answer).length > 0, true);
      assert.deepEqual(choiceOf(answer), { selected: null, attempts: 0 });
    },
  },
  {
    name: 'the body arrives byte for byte, and so does the answer',
    needs: 'simulator',
    run: async (client) => {
      const body = direct('sim/echo');
      assert.equal((await client.post(body)).text, body);
    },
  },
  {
    name: 'the same on the wire',
    needs: 'settings',
    run: async ({ world }) => {
      const body = direct('sim/echo');
      const received = await sendRaw(world.url, rawChat(body));
      assert.match(received, /^HTTP\/1\.1 200 /);
      assert.ok(received.includes(Buffer.from(body).toString('latin1')));
    },
  },
  {
    name: 'it is tried once',
    needs: 'simulator',
    run: async (client) => {
      const answer = await client.chat('sim/unavailable');
      assert.equal(answer.status, 503);
      assert.deepEqual(JSON.parse(answer.text), { detail: 'Service unavailable, try again later.' });
    },
  },
];

export const STICKINESS: readonly Case[] = [
  {
    name: 'a client stays with the model that answered it, and others do not',
    needs: 'simulator',
    run: async (client) => {
      const list = `sim/unavailable,${client.world.model}`;
      assert.equal(choiceOf(await client.chat(list)).attempts, 2);
      assert.equal(choiceOf(await client.chat(list)).attempts, 1);
      const headers = { 'x-session-id': 'another session' };
      assert.equal(choiceOf(await client.chat(list, { headers })).attempts, 2);
    },
  },
];
