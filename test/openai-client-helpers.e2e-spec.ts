import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import OpenAI, { APIError } from 'openai';
import { ADD, CALL, saying, streaming } from './support/chat-answers.js';
import { ALIAS, ClientStage, FIRST, KEY } from './support/client-stage.js';

const messages = [{ role: 'user' as const, content: 'What is 1 + 2?' }];
const SCHEMA = { name: 'sum', schema: { type: 'object', properties: { sum: { type: 'number' } } } };

let stage: ClientStage;
let client: OpenAI;

beforeEach(async () => {
  stage = await ClientStage.set();
  client = new OpenAI({ baseURL: stage.baseURL, apiKey: KEY });
});

afterEach(async () => stage.clear());

describe('the stream helper', () => {
  test('RTE-1, RTE-21: tells what comes as it comes, and the whole at the end', async () => {
    const stream = client.chat.completions.stream({
      model: ALIAS,
      messages,
      stream_options: { include_usage: true },
    });
    const deltas: string[] = [];
    stream.on('content', (delta) => deltas.push(delta));
    const { choices, model } = await stream.finalChatCompletion();
    expect(model).toBe(FIRST);
    expect(choices[0]?.finish_reason).toBe('stop');
    expect(choices[0]?.message.content).toContain(FIRST);
    expect(deltas.join('')).toBe(choices[0]?.message.content);
    expect((await stream.totalUsage()).completion_tokens).toBe(deltas.length);
  });

  test('RTE-1, RTE-21: puts a tool call together whose arguments come in parts', async () => {
    const [begin, end] = [CALL.function.arguments.slice(0, 5), CALL.function.arguments.slice(5)];
    stage.chutes.behave(
      FIRST,
      streaming(
        { tool_calls: [{ index: 0, ...CALL, function: { name: 'add', arguments: begin } }] },
        { tool_calls: [{ index: 0, function: { arguments: end } }] },
      ),
    );
    const stream = client.chat.completions.stream({ model: ALIAS, messages });
    const message = await stream.finalMessage();
    expect(message.tool_calls).toMatchObject([CALL]);
  });

  test('ATT-35, RTE-21: fails where the answer breaks, and gives out no shortened one', async () => {
    stage.chutes.behave(FIRST, { kind: 'cut-stream', afterChunks: 3 });
    const stream = client.chat.completions.stream({ model: ALIAS, messages });
    const errors: unknown[] = [];
    stream.on('error', (error) => errors.push(error));
    const thrown = await stream.finalContent().catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(APIError);
    expect(thrown).toMatchObject({ code: 'upstream_stream_interrupted' });
    expect(errors).toEqual([thrown]);
  });

  test('ATT-28, RTE-21: aborts the upstream, too', async () => {
    stage.chutes.behave(FIRST, { kind: 'stall', afterChunks: 2 });
    const stream = client.chat.completions.stream({ model: ALIAS, messages });
    stream.on('chunk', () => stream.abort());
    const ended = stream.done().catch((error: unknown) => error);
    const { request } = await stage.next();
    await request.aborted;
    expect(await ended).toMatchObject({ message: 'Request was aborted.' });
  });
});

test('RTE-1, RTE-21: the parse helper reads structured output', async () => {
  stage.chutes.behave(FIRST, saying({ content: '{"sum":3}' }));
  const format = { type: 'json_schema' as const, json_schema: SCHEMA };
  const { choices } = await client.chat.completions.parse({
    model: ALIAS,
    messages,
    response_format: format,
  });
  expect(choices[0]?.message.parsed).toEqual({ sum: 3 });
  expect((await stage.next()).body['response_format']).toEqual(format);
});

test.each([false, true])('RTE-1, RTE-21: the tool runner goes all the way, streamed: %s', async (stream) => {
  const part = { content: null, tool_calls: [{ ...CALL, index: 0 }] };
  stage.chutes.behave(FIRST, stream ? streaming(part) : saying(part), { times: 1 });
  const tool = {
    type: 'function' as const,
    function: {
      name: 'add',
      description: 'adds',
      parameters: ADD,
      parse: (text: string) => JSON.parse(text) as { a: number; b: number },
      function: ({ a, b }: { a: number; b: number }) => String(a + b),
    },
  };
  const request = { model: ALIAS, messages, tools: [tool] };
  const runner = stream
    ? client.chat.completions.runTools({ ...request, stream })
    : client.chat.completions.runTools(request);
  expect(await runner.finalContent()).toContain(FIRST);
  await stage.next();
  const { body } = await stage.next();
  expect(body['messages']).toMatchObject([
    ...messages,
    { role: 'assistant', tool_calls: [CALL] },
    { role: 'tool', tool_call_id: CALL.id, content: '3' },
  ]);
});
