import assert from 'node:assert/strict';
import type { Case } from '../case.ts';
import { assertOk, choiceOf, type Answer } from '../client.ts';
import { rawChat, sendRaw } from '../raw.ts';
import { IDLE_TIMEOUT_MS } from '../router-under-test.ts';

function eventsIn({ text }: Answer): string[] {
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => data);
}

/** The code of the error event that an event stream ends with. */
function lastError(answer: Answer): unknown {
  const { error } = JSON.parse(eventsIn(answer).at(-1) ?? '{}') as { error?: { code: unknown } };
  return error?.code;
}

/** Errors that a stream can begin with and that are about the model. */
const BEGINNINGS = ['first-event-error', 'first-event-unframed-error', 'first-event-anthropic-error'];
/** Errors that the upstream itself tells, so that there is nothing to add. */
const TOLD = ['error-event', 'error-event-pretty', 'error-event-then-done', 'error-event-then-comment'];
/** Ends that look good and are none. */
const HIDDEN = ['unfinished', 'unframed-error', 'unframed-error-pretty'];

export const STREAMING: readonly Case[] = [
  ...BEGINNINGS.map((kind): Case => ({
    name: `a stream that begins with an error makes way for the next model: ${kind}`,
    needs: 'simulator',
    run: async (client) => {
      const answer = await client.chat(`sim/${kind},${client.world.model}`, { stream: true });
      assert.deepEqual(choiceOf(answer), { selected: client.world.model, attempts: 2 });
      assert.equal(eventsIn(answer).at(-1), '[DONE]');
    },
  })),
  {
    name: 'but not where the error is for the client to see',
    needs: 'simulator',
    run: async (client) => {
      const answer = await client.chat(`sim/first-event-refusal,${client.world.model}`, { stream: true });
      assert.deepEqual(choiceOf(answer), { selected: 'sim/first-event-refusal', attempts: 1 });
    },
  },
  ...TOLD.map((kind): Case => ({
    name: `nothing is added to a stream that tells of its own error: ${kind}`,
    needs: 'simulator',
    run: async (client) => {
      const answer = await client.chat(`sim/${kind}`, { stream: true });
      assert.doesNotMatch(answer.text, /upstream_stream_interrupted/);
      assert.match(answer.text, /"error"/);
      assert.ok(answer.isWhole);
    },
  })),
  ...HIDDEN.map((kind): Case => ({
    name: `a stream whose end is none ends with an error event: ${kind}`,
    needs: 'simulator',
    run: async (client) => {
      const answer = await client.chat(`sim/${kind}`, { stream: true });
      assert.equal(lastError(answer), 'upstream_stream_interrupted');
      assert.ok(answer.isWhole);
    },
  })),
  {
    name: 'an alias streams events to the end',
    run: async (client) => {
      const answer = await client.chat(client.world.alias, { stream: true });
      assertOk(answer);
      assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/);
      assert.ok(choiceOf(answer).selected);
      assert.ok(answer.isWhole);
      assert.ok(eventsIn(answer).length > 2);
      assert.equal(eventsIn(answer).at(-1), '[DONE]');
    },
  },
  {
    name: 'events come before the stream is over',
    needs: 'settings',
    run: async (client) => {
      const { spreadMs } = await client.chat('sim/stall', { stream: true });
      assert.ok(spreadMs > IDLE_TIMEOUT_MS / 2, `All came within ${spreadMs} ms`);
    },
  },
  {
    name: 'a list whose first model is down streams from the second',
    needs: 'simulator',
    run: async (client) => {
      const answer = await client.chat(`sim/reset,${client.world.model}`, { stream: true });
      assert.deepEqual(choiceOf(answer), { selected: client.world.model, attempts: 2 });
      assert.equal(eventsIn(answer).at(-1), '[DONE]');
    },
  },
  {
    name: 'a stream that breaks ends with an error event and without a clean end',
    needs: 'simulator',
    run: async (client) => {
      const answer = await client.chat(`sim/cut-stream,${client.world.model}`, { stream: true });
      assert.equal(eventsIn(answer).length, 4);
      assert.equal(lastError(answer), 'upstream_stream_interrupted');
      assert.equal(answer.isWhole, false);
    },
  },
  {
    name: 'on the wire such a stream has no final chunk',
    needs: 'settings',
    run: async ({ world }) => {
      const received = await sendRaw(world.url, rawChat('{"model":"sim/cut-stream","stream":true}'));
      assert.ok(received.includes('"code":"upstream_stream_interrupted"'));
      assert.equal(received.includes('\r\n0\r\n'), false);
    },
  },
  {
    name: 'half an answer in one piece has no clean end',
    needs: 'simulator',
    run: async (client) => {
      assert.equal((await client.chat('sim/truncated')).isWhole, false);
    },
  },
];
