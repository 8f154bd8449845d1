import { describe, expect, test } from '@jest/globals';
import { modelEntry } from '../feeds/simulated-models.js';
import { engineErrorOf, engineReply } from './engine-errors.js';
import { readPrompt } from './prompt.js';

type Fields = Readonly<Record<string, unknown>>;

const TOOLS = [{ type: 'function', function: { name: 'add' } }];
const PICTURE = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:x' } }] }];
const VIDEO = [{ role: 'user', content: [{ type: 'video_url', video_url: { url: 'data:x' } }] }];

function problemOf(body: Fields, entry: Fields): string | undefined {
  const prompt = readPrompt(Buffer.from(JSON.stringify({ model: 'a/b', ...body })));
  if (typeof prompt === 'string') throw new Error(prompt);
  return engineErrorOf(prompt, modelEntry('a/b', entry))?.message;
}

const named = (name: string) => ({ tools: TOOLS, tool_choice: { type: 'function', function: { name } } });
const TEXT_ONLY = { input_modalities: ['text'] };
const NO_TOOLS = { supported_features: ['json_mode'] };
const NO_PARSER = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set';

describe('what an engine does not take', () => {
  test.each<[string, Fields, Fields, string]>([
    ['a picture', { messages: PICTURE }, TEXT_ONLY, 'a/b is not a multimodal model'],
    [
      'a video, though it sees pictures',
      { messages: VIDEO },
      { input_modalities: ['text', 'image'] },
      'a/b is not a multimodal model',
    ],
    ['tools', { tools: TOOLS }, NO_TOOLS, NO_PARSER],
    ['tools with auto', { tools: TOOLS, tool_choice: 'auto' }, NO_TOOLS, NO_PARSER],
    [
      'a required tool',
      { tools: TOOLS, tool_choice: 'required' },
      NO_TOOLS,
      'tool_choice="required" requires --tool-call-parser to be set',
    ],
    ['a tool by name', named('add'), NO_TOOLS, 'tool_choice="add" requires --tool-call-parser to be set'],
    [
      'a tool that is not there',
      named('subtract'),
      {},
      'The tool specified in `tool_choice` does not match any of the specified `tools`',
    ],
    [
      'too long an answer, SGLang',
      { max_tokens: 200 },
      { owned_by: 'sglang', context_length: 100, max_model_len: 4096 },
      "Requested token count exceeds the model's maximum context length of 100 tokens. You requested a total of 208 tokens: 8 tokens from the input messages and 200 tokens for the completion. Please reduce the number of tokens in the input messages or the completion to fit within the limit.",
    ],
    [
      'too long an answer, vLLM',
      { max_completion_tokens: 4096 },
      { owned_by: 'vllm', context_length: 8192, max_model_len: 4096 },
      "This model's maximum context length is 4096 tokens. However, you requested 4107 tokens (11 in the messages, 4096 in the completion). Please reduce the length of the messages or completion.",
    ],
    [
      'too long a prompt of a model with one length',
      { prompt: 'x'.repeat(9_000) },
      { owned_by: 'vllm', context_length: undefined, max_model_len: 2048 },
      "This model's maximum context length is 2048 tokens. However, you requested 2257 tokens (2257 in the messages, 0 in the completion). Please reduce the length of the messages or completion.",
    ],
  ])('SIM-35: %s', (_, body, entry, message) => {
    expect(problemOf(body, entry)).toBe(message);
  });

  test.each<[string, Fields, Fields]>([
    ['a picture that it sees', { messages: PICTURE }, { input_modalities: ['text', 'image'] }],
    ['a picture, where nobody says', { messages: PICTURE }, { input_modalities: undefined }],
    ['tools that it can call', { tools: TOOLS }, { supported_features: ['tools'] }],
    ['tools, where nobody says', { tools: TOOLS }, { supported_features: undefined }],
    ['tools that are not to be called', { tools: TOOLS, tool_choice: 'none' }, NO_TOOLS],
    ['no tools', { tools: [] }, NO_TOOLS],
    ['a prompt of any length, where nobody says', { max_tokens: 1e9 }, withoutLengths()],
    ['a prompt that just fits', { max_tokens: 4_087 }, { context_length: 4_096 }],
  ])('SIM-35: it takes %s', (_, body, entry) => {
    expect(problemOf(body, entry)).toBeUndefined();
  });
});

describe('how Chutes passes on what an engine says', () => {
  test.each([
    ['vllm', false],
    ['vllm', true],
    ['sglang', false],
  ] as const)('SIM-35: of %s, streamed: %s, as a 400 that nests it as text', (engine, isStream) => {
    const { status, body } = engineReply({ engine, message: 'Too long.' }, isStream);
    const { detail } = JSON.parse(body) as { detail: string };
    expect([status, detail]).toEqual([400, expect.stringMatching(/^Invalid request: Invalid request: \{/)]);
    const inner: unknown = JSON.parse(detail.slice(detail.indexOf('{')));
    const error = { message: 'Too long.', type: 'BadRequestError', param: null, code: 400 };
    expect(inner).toEqual({ detail: engine === 'vllm' ? { error } : { object: 'error', ...error } });
  });

  test('SIM-35: of SGLang, streamed, as a 200 whose first event it is', () => {
    const { status, headers, body } = engineReply({ engine: 'sglang', message: 'Too long.' }, true);
    expect([status, headers['content-type']]).toEqual([200, expect.stringContaining('text/event-stream')]);
    const [event = '', done] = body.split('\n\n');
    expect(JSON.parse(event.slice('data: '.length))).toMatchObject({
      error: { object: 'error', message: 'Too long.', code: 400 },
    });
    expect(done).toBe('data: [DONE]');
  });
});

function withoutLengths(): Fields {
  return { context_length: undefined, max_model_len: undefined };
}
