/** What the simulator reads of a request's body. */
export interface Prompt {
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** `max_completion_tokens` or `max_tokens`. */
  readonly maxTokens: number | undefined;
}

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
  const options = value['stream_options'];
  const limit = value['max_completion_tokens'] ?? value['max_tokens'];
  return {
    model: value['model'],
    stream: value['stream'] === true,
    includeUsage: isRecord(options) && options['include_usage'] === true,
    maxTokens: typeof limit === 'number' && limit > 0 ? Math.ceil(limit) : undefined,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
