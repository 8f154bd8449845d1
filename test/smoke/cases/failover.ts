import assert from 'node:assert/strict';
import type { Case } from '../case.ts';
import { assertOk, choiceOf, errorOf } from '../client.ts';

const RETRIED = [
  'unavailable',
  'bad-gateway',
  'gateway-timeout',
  'reset',
  'close',
  'empty-body',
  'reset-after-headers',
  // What Chutes says of a model: that it is gone, down, or nobody pays for it.
  'disabled',
  'exhausted',
  'no-infrastructure',
  'model-not-found',
  'no-chute',
  'creator-unpaid',
  'not-tee',
  // An answer in one piece that breaks half way.
  'truncated',
  'cut-stream',
];
const RELAYED = [
  ['rate-limited', 429, 'text/html'],
  ['at-capacity', 429, 'application/json'],
  ['no-targets', 429, 'application/json'],
  ['free-limit', 429, 'application/json'],
  ['quota-exceeded', 402, 'application/json'],
  ['usage-cap', 402, 'application/json'],
  ['no-subscription', 402, 'application/json'],
  ['unauthorized', 401, 'application/json'],
  ['internal-error', 500, 'application/json'],
] as const;

export const FAILOVER: readonly Case[] = [
  ...RETRIED.map((kind): Case => ({
    name: `the next model answers for one that is ${kind}`,
    needs: 'simulator',
    run: async (client) => {
      const answer = await client.chat(`sim/${kind},${client.world.model}`);
      assertOk(answer);
      assert.deepEqual(choiceOf(answer), { selected: client.world.model, attempts: 2 });
    },
  })),
  ...RELAYED.map(([kind, status, type]): Case => ({
    name: `a ${status} that is ${kind} is the answer`,
    needs: 'simulator',
    run: async (client) => {
      const answer = await client.chat(`sim/${kind},${client.world.model}`);
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get('content-type'), type);
      assert.deepEqual(choiceOf(answer), { selected: `sim/${kind}`, attempts: 1 });
    },
  })),
  {
    name: 'the last failure is relayed as it came',
    needs: 'simulator',
    run: async (client) => {
      const answer = await client.chat('sim/reset,sim/bad-gateway');
      assert.equal(answer.status, 502);
      assert.match(answer.text, /^<html>/);
      assert.equal(choiceOf(answer).attempts, 2);
    },
  },
  {
    name: "or is an error of the router's own",
    needs: 'simulator',
    run: async (client) => {
      const answer = await client.chat('sim/unavailable,sim/reset');
      assert.equal(answer.status, 502);
      assert.equal(errorOf(answer)['code'], 'upstream_reset');
      assert.equal(choiceOf(answer).attempts, 2);
    },
  },
];

export const TIMEOUTS: readonly Case[] = [
  ...['silent', 'headers-then-silence'].map((kind): Case => ({
    name: `a stream does not wait long for a model that is ${kind}`,
    needs: 'settings',
    run: async (client) => {
      const answer = await client.chat(`sim/${kind},${client.world.model}`, { stream: true });
      assertOk(answer);
      assert.deepEqual(choiceOf(answer), { selected: client.world.model, attempts: 2 });
    },
  })),
  {
    name: 'the last model that is silent is a 504 that clients do not try again',
    needs: 'settings',
    run: async (client) => {
      const answer = await client.chat('sim/silent');
      assert.equal(answer.status, 504);
      assert.equal(errorOf(answer)['code'], 'upstream_header_timeout');
      assert.equal(answer.headers.get('x-should-retry'), 'false');
    },
  },
  {
    name: 'a stream that falls silent is ended by an error event',
    needs: 'settings',
    run: async (client) => {
      const answer = await client.chat('sim/stall', { stream: true });
      assert.match(answer.text, /"code":"upstream_idle_timeout"/);
      assert.equal(answer.isWhole, false);
    },
  },
];
