import assert from 'node:assert/strict';
import { Client, choiceOf } from './client.ts';

const ALIAS = 'chutesai/AutoPilot';

/** What the cases know of the router that they ask. */
export interface World {
  /** Without a slash at the end. */
  readonly url: string;
  readonly key: string;
  /** Whether the harness has started the router, with its own settings. */
  readonly isOwn: boolean;
  /** Whether the models that misbehave on request are behind it. */
  readonly hasSimulator: boolean;
  readonly alias: string;
  /** A model of the catalog that is running, as far as can be seen. */
  readonly model: string;
  /** Another one of the catalog. */
  readonly other: string;
}

interface Entry {
  readonly id: string;
  readonly owned_by?: string;
}

/** Looks around: asks for the catalog, and the alias for a model that is running. */
export async function explore(url: string, key: string, isOwn: boolean): Promise<World> {
  const unknown = { url, key, isOwn, hasSimulator: false, alias: ALIAS, model: '', other: '' };
  const client = new Client(unknown);
  const { status, text } = await client.ask('/v1/models');
  assert.equal(status, 200, `GET /v1/models was ${status}: ${text.slice(0, 200)}`);

  const { data } = JSON.parse(text) as { data: Entry[] };
  const isAlias = ({ owned_by: owner }: Entry) => owner === 'chutes-autopilot';
  const alias = data.find(isAlias)?.id ?? ALIAS;
  const ids = data.filter((entry) => !isAlias(entry)).map(({ id }) => id);
  const models = ids.filter((id) => !id.startsWith('sim/'));
  const { selected } = choiceOf(await client.chat(alias));
  const model = models.find((id) => id === selected) ?? models[0] ?? '';
  return {
    ...unknown,
    hasSimulator: ids.includes('sim/echo'),
    alias,
    model,
    other: models.find((id) => id !== model) ?? model,
  };
}
