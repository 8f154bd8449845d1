/** A function that an answer may call. */
export interface CallableFunction {
  readonly name: string;
  /** A JSON schema for its arguments. */
  readonly parameters: unknown;
}

/** What the simulator reads of a request's body. */
export interface Prompt {
  readonly model: string;
  readonly stream: boolean;
  /** `max_completion_tokens`, `max_tokens` or `max_output_tokens`. */
  readonly maxTokens: number | undefined;
  /** A guess: a token for every four bytes of the body, pictures and the like aside. */
  readonly promptTokens: number;
  readonly hasImage: boolean;
  readonly hasVideo: boolean;
  /** Whether it asks for thoughts, as prompts of Anthropic's may. */
  readonly thinks: boolean;
  /** None where `tool_choice` is `none`. */
  readonly functions: readonly CallableFunction[];
  /** `auto`, `required`, or the name of the one function that has to be called. */
  readonly toolChoice: string;
  /** Whether the last message is what a tool says. */
  readonly endsWithToolResult: boolean;
  /** The JSON schema that the answer has to fit; undefined where it may be prose. */
  readonly answerSchema: unknown;
}

/** What `json_object` asks for. */
const ANY_OBJECT = { type: 'object', properties: { answer: { type: 'string' } } };

/** Reads a body of whichever API; `'bad-json'` and `'bad-content'` are what Chutes, too, turns away. */
export function readPrompt(body: Buffer): Prompt | 'bad-json' | 'bad-content' {
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch {
    return 'bad-json';
  }
  if (!isRecord(value) || typeof value['model'] !== 'string') {
    return 'bad-content';
  }
  const limit = value['max_completion_tokens'] ?? value['max_tokens'] ?? value['max_output_tokens'];
  const messages = listOf(value['messages'] ?? value['input']);
  const parts = messages.flatMap((message) => listOf(fieldOf(message, 'content')));
  const types = new Set(parts.map((part) => fieldOf(part, 'type')));
  const choice = toolChoiceOf(value['tool_choice']);
  return {
    model: value['model'],
    stream: value['stream'] === true,
    maxTokens: typeof limit === 'number' && limit > 0 ? Math.ceil(limit) : undefined,
    promptTokens: Math.ceil((body.length - dataCharacters(parts)) / 4),
    hasImage: ['image_url', 'input_image', 'image'].some((type) => types.has(type)),
    hasVideo: types.has('video_url') || types.has('input_video'),
    thinks: ['enabled', 'adaptive'].includes(String(fieldOf(value['thinking'], 'type'))),
    functions: choice === 'none' ? [] : functionsOf(value['tools']),
    toolChoice: choice,
    endsWithToolResult: isToolResult(messages.at(-1)),
    answerSchema: answerSchemaOf(value),
  };
}

/** How much of content parts is data: `data:` URLs, or base64 as Anthropic has it. */
function dataCharacters(parts: readonly unknown[]): number {
  return parts
    .flatMap((part) => [
      ...[fieldOf(part, 'image_url'), fieldOf(part, 'video_url')].flatMap((holder) => [
        holder,
        fieldOf(holder, 'url'),
      ]),
      fieldOf(fieldOf(part, 'source'), 'data'),
    ])
    .reduce<number>(
      (sum, data) => sum + (typeof data === 'string' && !/^https?:/.test(data) ? data.length : 0),
      0,
    );
}

/** A function's definition is the tool itself, but for chat completions. Other tools than functions have no schema. */
function functionsOf(tools: unknown): CallableFunction[] {
  return listOf(tools).flatMap((tool) => {
    const definition = fieldOf(tool, 'function') ?? tool;
    const name = fieldOf(definition, 'name');
    const schema = fieldOf(definition, 'parameters') ?? fieldOf(definition, 'input_schema');
    const isFunction = schema !== undefined || fieldOf(tool, 'type') === 'function';
    return isFunction && typeof name === 'string' ? [{ name, parameters: schema ?? { type: 'object' } }] : [];
  });
}

function toolChoiceOf(choice: unknown): string {
  const name = fieldOf(fieldOf(choice, 'function') ?? choice, 'name');
  if (typeof name === 'string') return name;
  const word = fieldOf(choice, 'type') ?? choice;
  if (word === 'required' || word === 'any') return 'required';
  return word === 'none' ? 'none' : 'auto';
}

function isToolResult(message: unknown): boolean {
  return (
    fieldOf(message, 'role') === 'tool' ||
    /^(?:function|custom_tool)_call_output$/.test(String(fieldOf(message, 'type'))) ||
    listOf(fieldOf(message, 'content')).some((part) => fieldOf(part, 'type') === 'tool_result')
  );
}

/** The format stands at another place in each API. */
function answerSchemaOf(body: Readonly<Record<string, unknown>>): unknown {
  const format =
    body['response_format'] ??
    fieldOf(body['text'], 'format') ??
    fieldOf(body['output_config'], 'format') ??
    body['output_format'];
  switch (fieldOf(format, 'type')) {
    case 'json_object':
      return ANY_OBJECT;
    case 'json_schema':
      return fieldOf(fieldOf(format, 'json_schema') ?? format, 'schema') ?? ANY_OBJECT;
    default:
      return undefined;
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function fieldOf(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
