import { allNodes, type JsonNode, memberOf } from '../support/json-tree.ts';

/** What a body asks for beside its model and whether to stream: those fields of `Asked`. */
export interface ExpectedNeeds {
  readonly needs: number;
  readonly promptBytes: number;
  readonly answerTokens: number;
  readonly isToolResult: boolean;
  readonly conversationStart: number;
  readonly conversationEnd: number;
  readonly sessionStart: number;
  readonly sessionEnd: number;
}

/** The needs that a body may have, the lowest bit first. */
export const BODY_NEEDS = ['tools', 'json_mode', 'structured_outputs', 'image', 'video', 'audio', 'file'];
const MEDIA: Readonly<Record<string, readonly string[]>> = {
  image: ['image_url', 'input_image', 'image'],
  video: ['video_url', 'input_video'],
  audio: ['input_audio', 'audio_url'],
  file: ['file', 'input_file', 'document'],
};
const LIMITS = ['max_tokens', 'max_completion_tokens', 'max_output_tokens'];
/** The most that is told of a limit. */
const MOST_TOKENS = 2 ** 31 - 1;

/** @param text of an object, which `root` is the tree of */
export function expectedNeeds(text: string, root: JsonNode): ExpectedNeeds {
  const at = (...path: readonly string[]) => path.reduce<JsonNode | undefined>(memberOf, root);
  const bytes = (units: number) => Buffer.byteLength(text.slice(0, units));
  const talks = [at('messages'), at('input')];

  const types = new Set(talks.flatMap((talk) => (talk ? allNodes(talk) : [])).map(typeOf));
  const formats = new Set([at('response_format'), at('text', 'format')].map(typeOf));
  const needs = [
    ...(itemsOf(at('tools')).length + itemsOf(at('functions')).length > 0 ? ['tools'] : []),
    ...(formats.has('json_object') ? ['json_mode'] : []),
    ...(formats.has('json_schema') ? ['structured_outputs'] : []),
    ...Object.keys(MEDIA).filter((need) => MEDIA[need]?.some((type) => types.has(type))),
  ];

  const nodes = allNodes(root);
  const media = new Set([...nodes.filter(isDataUrl), ...nodes.flatMap(mediaIn)]);
  const mediaBytes = Array.from(media, ({ start, end }) => bytes(end - 1) - bytes(start + 1));

  const beginnings = [...talks, ...[at('prompt')].filter(isText)].flatMap((talk) => beginningOf(talk) ?? []);
  const paths = [
    ['prompt_cache_key'],
    ['session_id'],
    ['conversation'],
    ['conversation', 'id'],
    ['metadata', 'user_id'],
  ];
  const session = paths.map((path) => at(...path)).find(isText);
  return {
    needs: needs.reduce((sum, need) => sum + 2 ** BODY_NEEDS.indexOf(need), 0),
    promptBytes: Buffer.byteLength(text) - mediaBytes.reduce((sum, each) => sum + each, 0),
    answerTokens: Math.max(...LIMITS.map((name) => tokensOf(text, at(name)))),
    isToolResult: talks.some((talk) => isToolResult(itemsOf(talk).at(-1))),
    conversationStart: bytes(beginnings[0]?.start ?? 0),
    conversationEnd: bytes(beginnings[0]?.end ?? 0),
    sessionStart: bytes(session?.start ?? 0),
    sessionEnd: bytes(session?.end ?? 0),
  };
}

function beginningOf(talk: JsonNode | undefined): { start: number; end: number } | undefined {
  if (!talk || isText(talk)) return talk;
  const first = itemsOf(talk).find((item) => valueOf(memberOf(item, 'role')) === 'user');
  return first && { start: talk.start, end: first.end };
}

function valueOf(node: JsonNode | undefined): unknown {
  return node?.kind === 'scalar' ? node.value : undefined;
}

function typeOf(node: JsonNode | undefined): unknown {
  return valueOf(memberOf(node, 'type'));
}

function itemsOf(node: JsonNode | undefined): readonly JsonNode[] {
  return node?.kind === 'array' ? node.items : [];
}

function isText(node: JsonNode | undefined): boolean {
  const value = valueOf(node);
  return typeof value === 'string' && value !== '';
}

function isDataUrl(node: JsonNode): boolean {
  const value = valueOf(node);
  return typeof value === 'string' && value.startsWith('data:');
}

/** The strings that an object holds a picture or a recording in, beside those that begin with `data:`. */
function mediaIn(node: JsonNode): JsonNode[] {
  if (node.kind !== 'object') return [];
  const holders = [
    ...(typeOf(node) === 'base64' ? [node] : []),
    ...node.members.flatMap(({ key, value }) => (key === 'input_audio' ? [value] : [])),
  ];
  return holders
    .map((holder) => memberOf(holder, 'data'))
    .filter((data) => data !== undefined)
    .filter((data) => typeof valueOf(data) === 'string');
}

/** By its digits, since a number of JavaScript rounds. */
function tokensOf(text: string, node: JsonNode | undefined): number {
  const parts = /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text.slice(node?.start ?? 0, node?.end ?? 0));
  if (!parts) return 0;
  const [, whole = '', decimals = '', exponent = '0'] = parts;
  const digits = (whole + decimals).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  const zeros = BigInt(exponent) - BigInt(decimals.length) + BigInt(digits.length - significant.length);
  if (significant === '' || zeros < 0n) return 0;
  return zeros > 20n ? MOST_TOKENS : Math.min(Number(`${significant}e${zeros}`), MOST_TOKENS);
}

/** Whether an element is a tool's result. */
function isToolResult(item: JsonNode | undefined): boolean {
  if (item?.kind !== 'object') return false;
  const contents = item.members.filter(({ key }) => key === 'content').map(({ value }) => value);
  return (
    ['tool', 'function'].includes(String(valueOf(memberOf(item, 'role')))) ||
    ['function_call_output', 'custom_tool_call_output'].includes(String(typeOf(item))) ||
    contents.flatMap(itemsOf).some((block) => typeOf(block) === 'tool_result')
  );
}
