import type { ModelEntry } from '../feeds/simulated-models.js';
import { DONE_EVENT, type Reply, STREAM_HEADERS, detailReply } from './chutes-replies.js';
import type { Prompt } from './prompt.js';

/** What an engine says when it does not take a prompt. */
export interface EngineError {
  readonly engine: 'sglang' | 'vllm';
  readonly message: string;
}

/** What the entry of a model says that it cannot do. What it does not say, the model can. */
export function engineErrorOf(prompt: Prompt, entry: ModelEntry): EngineError | undefined {
  const engine = entry['owned_by'] === 'sglang' ? 'sglang' : 'vllm';
  const message =
    modalityProblem(prompt, entry) ?? toolProblem(prompt, entry) ?? lengthProblem(prompt, entry, engine);
  return message === undefined ? undefined : { engine, message };
}

function modalityProblem({ hasImage, hasVideo }: Prompt, entry: ModelEntry): string | undefined {
  const modalities = entry['input_modalities'];
  if (!Array.isArray(modalities)) return undefined;
  const isLacking =
    (hasImage && !modalities.includes('image')) || (hasVideo && !modalities.includes('video'));
  return isLacking ? `${entry.id} is not a multimodal model` : undefined;
}

function toolProblem({ functions, toolChoice }: Prompt, entry: ModelEntry): string | undefined {
  if (functions.length === 0) return undefined;
  const features = entry['supported_features'];
  if (Array.isArray(features) && !features.includes('tools')) {
    return toolChoice === 'auto'
      ? '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
      : `tool_choice="${toolChoice}" requires --tool-call-parser to be set`;
  }
  const isKnown = ['auto', 'required', ...functions.map(({ name }) => name)].includes(toolChoice);
  return isKnown
    ? undefined
    : 'The tool specified in `tool_choice` does not match any of the specified `tools`';
}

/** The smaller of the two lengths counts, whichever of them there is. */
function lengthProblem(
  { promptTokens: input, maxTokens: output = 0 }: Prompt,
  entry: ModelEntry,
  engine: EngineError['engine'],
): string | undefined {
  const lengths = [entry['context_length'], entry['max_model_len']].filter((one) => typeof one === 'number');
  const most = Math.min(...lengths);
  const total = input + output;
  if (total <= most) return undefined;
  return engine === 'sglang'
    ? `Requested token count exceeds the model's maximum context length of ${most} tokens. You requested a total of ${total} tokens: ${input} tokens from the input messages and ${output} tokens for the completion. Please reduce the number of tokens in the input messages or the completion to fit within the limit.`
    : `This model's maximum context length is ${most} tokens. However, you requested ${total} tokens (${input} in the messages, ${output} in the completion). Please reduce the length of the messages or completion.`;
}

/** As Chutes passes it on: a 400 that nests it as text, or, of SGLang's streams, a 200 whose first event it is. */
export function engineReply({ engine, message }: EngineError, isStream: boolean): Reply {
  const error = { message, type: 'BadRequestError', param: null, code: 400 };
  if (engine === 'sglang' && isStream) {
    const event = JSON.stringify({ error: { object: 'error', ...error } });
    return { status: 200, headers: STREAM_HEADERS, body: `data: ${event}\n\n${DONE_EVENT}` };
  }
  const detail = engine === 'sglang' ? { object: 'error', ...error } : { error };
  return detailReply(400, `Invalid request: Invalid request: ${JSON.stringify({ detail })}`);
}
