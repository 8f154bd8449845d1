import assert from 'node:assert/strict';
import type { Case } from '../case.ts';
import { assertOk, type Client, errorOf } from '../client.ts';

async function idsOf(client: Client): Promise<string[]> {
  const answer = await client.ask('/v1/models');
  assertOk(answer);
  const { object, data } = JSON.parse(answer.text) as { object: string; data: { id: string }[] };
  assert.equal(object, 'list');
  return data.map(({ id }) => id);
}

async function assertEntry(client: Client, id: string, path: string): Promise<void> {
  const answer = await client.ask(`/v1/models/${path}`);
  assertOk(answer);
  assert.equal((JSON.parse(answer.text) as { id: string }).id, id);
}

/** The model list. */
export const CATALOG: readonly Case[] = [
  {
    name: 'the list begins with the aliases and has models behind them',
    run: async (client) => {
      const { alias, model, other } = client.world;
      const [first, ...rest] = await idsOf(client);
      assert.equal(first, alias);
      for (const id of [model, other]) assert.ok(rest.includes(id), `${id} is not in the list`);
    },
  },
  {
    name: 'an entry is found by its id',
    run: async (client) => assertEntry(client, client.world.model, client.world.model),
  },
  {
    name: 'an entry is found by its encoded id',
    run: async (client) => assertEntry(client, client.world.model, encodeURIComponent(client.world.model)),
  },
  {
    name: 'an alias has an entry',
    run: async (client) => assertEntry(client, client.world.alias, client.world.alias),
  },
  {
    name: 'an unknown id is 404 model_not_found',
    run: async (client) => {
      const answer = await client.ask('/v1/models/nobody/at-all');
      assert.equal(answer.status, 404);
      assert.equal(errorOf(answer)['code'], 'model_not_found');
    },
  },
];
