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
  /** `max_completion_tokens` or `max_tokens`. */
  readonly maxTokens: number | undefined;
  /** A guess: a token for every four bytes of the body, pictures and the like aside. */
  readonly promptTokens: number;
  readonly hasImage: boolean;
  readonly hasVideo: boolean;
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

/** Reads a body; `'bad-json'` and `'bad-content'` are what Chutes, too, turns away. */
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
  const limit = value['max_completion_tokens'] ?? value['max_tokens'];
  const messages = listOf(value['messages']);
  const parts = messages.flatMap((message) => listOf(fieldOf(message, 'content')));
  const types = new Set(parts.map((part) => fieldOf(part, 'type')));
  return {
    model: value['model'],
    stream: value['stream'] === true,
    maxTokens: typeof limit === 'number' && limit > 0 ? Math.ceil(limit) : undefined,
    promptTokens: Math.ceil((body.length - dataCharacters(parts)) / 4),
    hasImage: types.has('image_url'),
    hasVideo: types.has('video_url'),
    functions: value['tool_choice'] === 'none' ? [] : functionsOf(value['tools']),
    toolChoice: toolChoiceOf(value['tool_choice']),
    endsWithToolResult: fieldOf(messages.at(-1), 'role') === 'tool',
    answerSchema: answerSchemaOf(value['response_format']),
  };
}

/** How much of content parts is `data:` URLs. */
function dataCharacters(parts: readonly unknown[]): number {
  return parts
    .flatMap((part) => [fieldOf(part, 'image_url'), fieldOf(part, 'video_url')])
    .map((holder) => fieldOf(holder, 'url'))
    .reduce<number>(
      (sum, url) => sum + (typeof url === 'string' && url.startsWith('data:') ? url.length : 0),
      0,
    );
}

function functionsOf(tools: unknown): CallableFunction[] {
  return listOf(tools).flatMap((tool) => {
    const definition = fieldOf(tool, 'function');
    const name = fieldOf(definition, 'name');
    const parameters = fieldOf(definition, 'parameters') ?? { type: 'object' };
    return typeof name === 'string' ? [{ name, parameters }] : [];
  });
}

function toolChoiceOf(choice: unknown): string {
  const name = fieldOf(fieldOf(choice, 'function'), 'name');
  if (typeof name === 'string') return name;
  return choice === 'required' ? 'required' : 'auto';
}

function answerSchemaOf(format: unknown): unknown {
  switch (fieldOf(format, 'type')) {
    case 'json_object':
      return ANY_OBJECT;
    case 'json_schema':
      return fieldOf(fieldOf(format, 'json_schema'), 'schema') ?? ANY_OBJECT;
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
