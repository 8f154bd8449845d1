import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { tool as langchainTool } from '@langchain/core/tools';
import { concat } from '@langchain/core/utils/stream';
import { ChatOpenAI } from '@langchain/openai';
import { generateObject, generateText, isStepCount, Output, streamObject, streamText, tool } from 'ai';
import OpenAI, { APIError, BadRequestError } from 'openai';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { modelEntry } from '../src/simulator/feeds/simulated-models.js';
import { ALIAS, ClientStage, FIRST, KEY, SECOND } from './support/client-stage.js';
import { failureOf } from './support/failure-of.js';

const Invoice = z.object({
  number: z.string(),
  total: z.number().positive(),
  lines: z.array(z.object({ text: z.string(), count: z.int().min(1) })).min(1),
  paidOn: z.iso.date().nullable(),
});
const Place = z.object({ city: z.string(), days: z.int().min(1).max(7) });
const messages = [{ role: 'user' as const, content: 'Hello' }];
const prompt = 'Hello';

let stage: ClientStage;

beforeAll(async () => {
  stage = await ClientStage.set();
});

afterAll(async () => stage.clear());

describe('openai', () => {
  const response_format = zodResponseFormat(Invoice, 'invoice');

  test('SIM-33, RTE-21: parses what fits a schema', async () => {
    const { choices } = await client().chat.completions.parse({ model: ALIAS, messages, response_format });
    expect(Invoice.safeParse(choices[0]?.message.parsed).error).toBeUndefined();
  });

  test('SIM-33, RTE-21: parses it from a stream, too', async () => {
    const stream = client().chat.completions.stream({ model: ALIAS, messages, response_format });
    const { choices } = await stream.finalChatCompletion();
    expect(Invoice.safeParse(choices[0]?.message.parsed).error).toBeUndefined();
    expect((await stream.totalUsage()).completion_tokens).toBeGreaterThan(5);
  });

  test('SIM-33, RTE-21: gets some object where it asks for JSON', async () => {
    const { choices } = await client().chat.completions.create({
      model: ALIAS,
      messages,
      response_format: { type: 'json_object' },
    });
    expect(JSON.parse(choices[0]?.message.content ?? '')).toBeInstanceOf(Object);
  });

  test.each([false, true])(
    'SIM-33, RTE-21: its tool runner goes all the way, streamed: %s',
    async (stream) => {
      const places: unknown[] = [];
      const forecast = (place: z.infer<typeof Place>) => {
        places.push(place);
        return 'sunny';
      };
      const tools = [zodFunction({ name: 'forecast', parameters: Place, function: forecast })];
      const runner = stream
        ? client().chat.completions.runTools({ model: ALIAS, messages, tools, stream })
        : client().chat.completions.runTools({ model: ALIAS, messages, tools });
      expect(await runner.finalContent()).toContain(FIRST);
      expect(places.map((place) => Place.safeParse(place).success)).toEqual([true]);
    },
  );

  test.each(['none', 'required', 'named'] as const)('SIM-33, RTE-21: tool_choice: %s', async (choice) => {
    const tools = ['one', 'other'].map((name) => zodFunction({ name, parameters: Place }));
    const { choices } = await client().chat.completions.create({
      model: ALIAS,
      messages,
      tools,
      tool_choice: choice === 'named' ? { type: 'function', function: { name: 'other' } } : choice,
    });
    const calls = choices[0]?.message.tool_calls ?? [];
    const names = calls.map((call) => call.type === 'function' && call.function.name);
    expect(names).toEqual({ none: [], required: ['one'], named: ['other'] }[choice]);
    expect(choices[0]?.finish_reason).toBe(choice === 'none' ? 'stop' : 'tool_calls');
  });

  describe('what a model cannot', () => {
    const tools = [zodFunction({ name: 'forecast', parameters: Place })];

    beforeAll(() => {
      const cannot = { supported_features: ['json_mode'] };
      stage.chutes.models = [
        modelEntry(FIRST, { owned_by: 'vllm', ...cannot }),
        modelEntry(SECOND, { owned_by: 'sglang', ...cannot }),
      ];
    });

    afterAll(() => {
      stage.chutes.models = [SECOND, FIRST];
    });

    test('SIM-35, RTE-21: is a BadRequestError that says why', async () => {
      const asking = client().chat.completions.create({ model: FIRST, messages, tools });
      const { message } = await failureOf(asking, BadRequestError);
      expect(message).toContain('--tool-call-parser to be set');
    });

    test('SIM-35, RTE-21: is an APIError in the middle of a good stream where SGLang is asked', async () => {
      const stream = await client().chat.completions.create({ model: SECOND, messages, tools, stream: true });
      const { message } = await failureOf(Array.fromAsync(stream), APIError);
      expect(message).toContain('--tool-call-parser to be set');
    });
  });
});

describe('AI SDK', () => {
  test('SIM-33, RTE-21: generateObject', async () => {
    const { object } = await generateObject({ model: autopilot(), schema: Invoice, prompt });
    expect(Invoice.safeParse(object).error).toBeUndefined();
  });

  test('SIM-33, RTE-21: streamObject', async () => {
    const { object, partialObjectStream } = streamObject({ model: autopilot(), schema: Invoice, prompt });
    expect((await Array.fromAsync(partialObjectStream)).length).toBeGreaterThan(2);
    expect(Invoice.safeParse(await object).error).toBeUndefined();
  });

  test('SIM-33, RTE-21: output beside text', async () => {
    const { output } = await generateText({
      model: autopilot(),
      output: Output.object({ schema: Invoice }),
      prompt,
    });
    expect(Invoice.safeParse(output).error).toBeUndefined();
  });

  test('SIM-33, RTE-21: calls a tool and goes on, whole and streamed', async () => {
    const forecast = tool({ inputSchema: Place, execute: () => 'sunny' });
    const request = { model: autopilot(), prompt, tools: { forecast }, stopWhen: isStepCount(3) };
    const whole = await generateText(request);
    expect([whole.text, whole.steps.length]).toEqual([expect.stringContaining(FIRST), 2]);
    const streamed = streamText(request);
    expect(await streamed.text).toContain(FIRST);
    expect((await streamed.steps)[0]?.toolResults).toMatchObject([{ output: 'sunny' }]);
  });
});

describe('LangChain', () => {
  test.each(['jsonSchema', 'functionCalling'] as const)(
    'SIM-33, RTE-21: withStructuredOutput by %s',
    async (method) => {
      const answer = await chat().withStructuredOutput(Invoice, { method }).invoke(prompt);
      expect(Invoice.safeParse(answer).error).toBeUndefined();
    },
  );

  test('SIM-33, RTE-21: calls a tool in a stream', async () => {
    const forecast = langchainTool(() => 'sunny', { name: 'forecast', schema: Place });
    const chunks = await Array.fromAsync(await chat().bindTools([forecast]).stream(prompt));
    const [call] = chunks.reduce(concat).tool_calls ?? [];
    expect(call?.name).toBe('forecast');
    expect(Place.safeParse(call?.args).error).toBeUndefined();
  });
});

function client(): OpenAI {
  return new OpenAI({ baseURL: stage.baseURL, apiKey: KEY });
}

function autopilot(): ReturnType<ReturnType<typeof createOpenAICompatible>> {
  const { baseURL } = stage;
  return createOpenAICompatible({ name: 'chutes', baseURL, apiKey: KEY, supportsStructuredOutputs: true })(
    ALIAS,
  );
}

function chat(): ChatOpenAI {
  const configuration = { baseURL: stage.baseURL };
  return new ChatOpenAI({ model: ALIAS, apiKey: KEY, configuration, maxRetries: 0 });
}
