import { createAnthropic } from '@ai-sdk/anthropic';
import Anthropic, { APIUserAbortError } from '@anthropic-ai/sdk';
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { generateText, isStepCount, streamText, tool } from 'ai';
import { z } from 'zod';
import { ALIAS, ClientStage, FIRST, KEY, SECOND } from './support/client-stage.js';

const City = z.object({ city: z.string() });
const CITY = { city: 'simulated city' };
const HELLO = [{ role: 'user' as const, content: 'Hello' }];
const ASK = { model: ALIAS, max_tokens: 500, messages: HELLO };
const TOOL = {
  name: 'forecast',
  input_schema: { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] },
};

let stage: ClientStage;

beforeEach(async () => {
  stage = await ClientStage.set();
});

afterEach(async () => {
  await stage.clear();
});

describe('@anthropic-ai/sdk', () => {
  let client: Anthropic;

  beforeEach(() => {
    client = new Anthropic({ baseURL: stage.address, apiKey: KEY, maxRetries: 0 });
  });

  test('DOR-10: creates a message', async () => {
    const message = await client.messages.create(ASK);
    expect(message).toMatchObject({ type: 'message', model: FIRST, stop_reason: 'end_turn' });
    expect(textOf(message)).toContain(FIRST);
    const { request, body } = await stage.next();
    expect(request.path).toBe('/v1/messages');
    expect(request.headers).toMatchObject({
      authorization: `Bearer ${KEY}`,
      'anthropic-version': expect.stringMatching(/^2\d{3}-\d\d-\d\d$/),
    });
    expect(body).toEqual({ ...ASK, model: FIRST });
  });

  test('DOR-10: creates one with its key where older versions have it', async () => {
    const older = new Anthropic({
      baseURL: stage.address,
      apiKey: null,
      defaultHeaders: { 'x-api-key': KEY, authorization: null },
    });
    await older.messages.create(ASK);
    const { headers } = (await stage.next()).request;
    expect([headers['x-api-key'], headers.authorization]).toEqual([KEY, undefined]);
  });

  test('DOR-10: streams one, event by event', async () => {
    const types: string[] = [];
    const stream = await client.messages.create({ ...ASK, stream: true });
    for await (const { type } of stream) if (types.at(-1) !== type) types.push(type);
    expect(types).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
  });

  test('DOR-10: the stream helper tells what comes as it comes, and the whole at the end', async () => {
    const stream = client.messages.stream(ASK);
    const texts: string[] = [];
    stream.on('text', (text) => texts.push(text));
    const message = await stream.finalMessage();
    expect(texts.length).toBeGreaterThan(10);
    expect(textOf(message)).toBe(texts.join(''));
    expect(message.usage.output_tokens).toBe(texts.length);
  });

  test.each([false, true])('DOR-10: a tool call comes whole, streamed: %s', async (isStreamed) => {
    const request = { ...ASK, tools: [TOOL] };
    const message = isStreamed
      ? await client.messages.stream(request).finalMessage()
      : await client.messages.create(request);
    expect(message.stop_reason).toBe('tool_use');
    expect(message.content).toMatchObject([{ type: 'tool_use', name: 'forecast', input: CITY }]);
  });

  test('DOR-10: the tool runner goes all the way', async () => {
    const asked: unknown[] = [];
    const forecast = betaZodTool({
      name: 'forecast',
      description: 'Tells how it will be.',
      inputSchema: City,
      run: async (input) => {
        asked.push(input);
        return 'It will rain.';
      },
    });
    const message = await client.beta.messages.toolRunner({ ...ASK, tools: [forecast] });
    expect(asked).toEqual([CITY]);
    expect(message.content).toMatchObject([{ type: 'text', text: expect.stringContaining(FIRST) }]);
    expect(stage.chutes.generations).toMatchObject([
      { pathname: '/v1/messages' },
      { pathname: '/v1/messages' },
    ]);
  });

  test('DOR-10: thoughts come as blocks of their own', async () => {
    const message = await client.messages
      .stream({ ...ASK, max_tokens: 2_000, thinking: { type: 'enabled', budget_tokens: 1_024 } })
      .finalMessage();
    expect(message.content.map(({ type }) => type)).toEqual(['thinking', 'text']);
  });

  test('DOR-10: counts tokens', async () => {
    const { input_tokens } = await client.messages.countTokens({ model: ALIAS, messages: HELLO });
    expect(input_tokens).toBeGreaterThan(0);
    const { request } = await stage.next();
    expect([request.path, request.model]).toEqual(['/v1/messages/count_tokens', FIRST]);
  });

  test('DOR-10: fails over in a list, and learns who answered', async () => {
    stage.chutes.behave(FIRST, 'unavailable');
    const { data, response } = await client.messages
      .create({ ...ASK, model: `${FIRST},${SECOND}` })
      .withResponse();
    expect(data.model).toBe(SECOND);
    expect(response.headers.get('x-chutes-autopilot-attempts')).toBe('2');
  });

  test('DOR-10: names models from the list', async () => {
    const ids: string[] = [];
    for await (const { id } of client.models.list()) ids.push(id);
    expect(ids).toEqual(expect.arrayContaining([ALIAS, FIRST, SECOND]));
  });

  test('ATT-28, DOR-10: a stream that is aborted ends upstream, too', async () => {
    stage.chutes.behave(FIRST, { kind: 'stall', afterChunks: 5 });
    const stream = client.messages.stream(ASK);
    stream.on('text', () => stream.abort());
    const ended = stream.done().catch((error: unknown) => error);
    await (
      await stage.next()
    ).request.aborted;
    expect(await ended).toBeInstanceOf(APIUserAbortError);
  });
});

function aiRequest() {
  const chutes = createAnthropic({ baseURL: stage.baseURL, apiKey: KEY });
  return { model: chutes(ALIAS), prompt: 'Hello', maxOutputTokens: 500 };
}

describe('@ai-sdk/anthropic', () => {
  test('DOR-10: generates text', async () => {
    const { text, finishReason } = await generateText(aiRequest());
    expect([text.includes(FIRST), finishReason]).toEqual([true, 'stop']);
    const { path, headers } = (await stage.next()).request;
    expect([path, headers['x-api-key']]).toEqual(['/v1/messages', KEY]);
  });

  test('DOR-10: streams text', async () => {
    const texts = await Array.fromAsync(streamText(aiRequest()).textStream);
    expect(texts.length).toBeGreaterThan(10);
    expect(texts.join('')).toContain(FIRST);
  });

  test('DOR-10: calls tools and goes on, streamed', async () => {
    const asked: unknown[] = [];
    const forecast = tool({
      inputSchema: City,
      execute: async (input) => {
        asked.push(input);
        return 'It will rain.';
      },
    });
    const result = streamText({ ...aiRequest(), tools: { forecast }, stopWhen: isStepCount(3) });
    expect(await result.text).toContain(FIRST);
    expect([asked, (await result.steps).length]).toEqual([[CITY], 2]);
  });
});

function textOf({ content }: Anthropic.Message): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}
