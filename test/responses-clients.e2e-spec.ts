import { createOpenAI } from '@ai-sdk/openai';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Agent, OpenAIProvider, Runner, tool as agentTool } from '@openai/agents';
import { generateText, isStepCount, Output, streamText, tool } from 'ai';
import OpenAI from 'openai';
import { zodResponsesFunction, zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { ALIAS, ClientStage, FIRST, KEY, SECOND } from './support/client-stage.js';

const Book = z.object({ title: z.string(), pages: z.number().int().min(1) });
const City = z.object({ city: z.string() });
/** What the simulated model makes of the schema. */
const CITY = { city: 'simulated city' };

let stage: ClientStage;

beforeEach(async () => {
  stage = await ClientStage.set();
});

afterEach(async () => {
  await stage.clear();
});

describe('openai', () => {
  let client: OpenAI;

  beforeEach(() => {
    client = new OpenAI({ baseURL: stage.baseURL, apiKey: KEY });
  });

  test('DOR-9: creates a response', async () => {
    const response = await client.responses.create({ model: ALIAS, input: 'Hello' });
    expect(response).toMatchObject({ status: 'completed', model: FIRST, error: null });
    expect(response.output_text).toContain(FIRST);
    const { request, body } = await stage.next();
    expect([request.path, request.headers.authorization]).toEqual(['/v1/responses', `Bearer ${KEY}`]);
    expect(body).toEqual({ model: FIRST, input: 'Hello' });
  });

  test('DOR-9: streams one, with all its events in their order', async () => {
    const types: string[] = [];
    const numbers: number[] = [];
    let text = '';
    const stream = await client.responses.create({ model: ALIAS, input: 'Hello', stream: true });
    for await (const event of stream) {
      if (types.at(-1) !== event.type) types.push(event.type);
      numbers.push(event.sequence_number);
      if (event.type === 'response.output_text.delta') text += event.delta;
    }
    expect(text).toContain(FIRST);
    expect(numbers).toEqual(numbers.map((_, i) => i));
    expect(types).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
  });

  test('DOR-9: puts a stream together, text and call alike', async () => {
    const spoken = await client.responses.stream({ model: ALIAS, input: 'Hello' }).finalResponse();
    expect(spoken.output_text).toContain(FIRST);
    expect(spoken.usage?.output_tokens).toBeGreaterThan(10);
    const tools = [zodResponsesFunction({ name: 'forecast', parameters: City })];
    const called = await client.responses.stream({ model: ALIAS, input: 'Hello', tools }).finalResponse();
    expect(called.output).toMatchObject([
      { type: 'function_call', name: 'forecast', parsed_arguments: CITY },
    ]);
  });

  test('DOR-9: parses structured output', async () => {
    const format = zodTextFormat(Book, 'book');
    const { output_parsed } = await client.responses.parse({
      model: ALIAS,
      input: 'Hello',
      text: { format },
    });
    expect(output_parsed).toEqual({ title: 'simulated title', pages: 1 });
  });

  test('DOR-9: goes through a tool call and its result', async () => {
    const tools = [zodResponsesFunction({ name: 'forecast', parameters: City })];
    const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'How will it be?' }];
    const first = await client.responses.create({ model: ALIAS, input, tools });
    const call = first.output.find((item) => item.type === 'function_call');
    if (!call) throw new Error('It called nothing.');
    expect(JSON.parse(call.arguments)).toEqual(CITY);
    input.push(call, { type: 'function_call_output', call_id: call.call_id, output: 'It will rain.' });
    const second = await client.responses.create({ model: ALIAS, input, tools });
    expect(second.output_text).toContain(FIRST);
  });

  test('DOR-9: fails over in a list, and learns who answered', async () => {
    stage.chutes.behave(FIRST, 'unavailable');
    const { data, response } = await client.responses
      .create({ model: `${FIRST},${SECOND}`, input: 'Hello' })
      .withResponse();
    expect(data.model).toBe(SECOND);
    expect(response.headers.get('x-chutes-autopilot-selected')).toBe(SECOND);
  });

  test('ATT-28, DOR-9: a stream that is aborted ends upstream, too', async () => {
    stage.chutes.behave(FIRST, { kind: 'stall', afterChunks: 2 });
    const stream = await client.responses.create({ model: ALIAS, input: 'Hello', stream: true });
    const { request } = await stage.next();
    let events = 0;
    for await (const _ of stream) if (++events === 2) stream.controller.abort();
    await request.aborted;
    expect(events).toBe(2);
  });
});

function model() {
  return createOpenAI({ baseURL: stage.baseURL, apiKey: KEY })(ALIAS);
}

describe('@ai-sdk/openai', () => {
  test('DOR-9: generates text by its default API', async () => {
    const { text, finishReason } = await generateText({ model: model(), prompt: 'Hello' });
    expect([text.includes(FIRST), finishReason]).toEqual([true, 'stop']);
    expect((await stage.next()).request.path).toBe('/v1/responses');
  });

  test('DOR-9: streams text', async () => {
    const { textStream } = streamText({ model: model(), prompt: 'Hello' });
    const texts = await Array.fromAsync(textStream);
    expect(texts.length).toBeGreaterThan(10);
    expect(texts.join('')).toContain(FIRST);
  });

  test('DOR-9: fills a schema', async () => {
    const output = Output.object({ schema: Book });
    const result = await generateText({ model: model(), prompt: 'Hello', output });
    expect(result.output).toEqual({ title: 'simulated title', pages: 1 });
  });

  test('DOR-9: calls tools and goes on', async () => {
    const asked: unknown[] = [];
    const forecast = tool({
      inputSchema: City,
      execute: async (input) => {
        asked.push(input);
        return 'It will rain.';
      },
    });
    const { steps, text } = await generateText({
      model: model(),
      prompt: 'Hello',
      tools: { forecast },
      stopWhen: isStepCount(3),
    });
    expect([asked, steps.length]).toEqual([[CITY], 2]);
    expect(text).toContain(FIRST);
  });
});

describe('@openai/agents', () => {
  const asked: unknown[] = [];
  const forecast = agentTool({
    name: 'forecast',
    description: 'Tells how it will be.',
    parameters: City,
    execute: async (input) => {
      asked.push(input);
      return 'It will rain.';
    },
  });
  const agent = new Agent({ name: 'Weather', model: ALIAS, instructions: 'Be brief.', tools: [forecast] });
  let runner: Runner;

  beforeEach(() => {
    asked.length = 0;
    const modelProvider = new OpenAIProvider({ baseURL: stage.baseURL, apiKey: KEY });
    // Traces would go to OpenAI.
    runner = new Runner({ modelProvider, tracingDisabled: true });
  });

  test('DOR-9: an agent calls its tool and answers', async () => {
    const { finalOutput } = await runner.run(agent, 'How will it be?');
    expect(asked).toEqual([CITY]);
    expect(finalOutput).toContain(FIRST);
    expect(stage.chutes.generations.map(({ path }) => path)).toEqual(['/v1/responses', '/v1/responses']);
  });

  test('DOR-9: so does one that streams', async () => {
    const result = await runner.run(agent, 'How will it be?', { stream: true });
    const texts = await Array.fromAsync(result.toTextStream());
    await result.completed;
    expect(asked).toEqual([CITY]);
    expect(texts.join('')).toContain(FIRST);
    expect(result.finalOutput).toBe(texts.join(''));
  });
});
