import type { Random } from '../support/random.ts';

/** Requests as clients send them, and as nobody should. */
export const BODIES: readonly Buffer[] = [
  '{"model":"a/b","messages":[{"role":"user","content":"Hello"}],"stream":true}',
  '{ "stream" : false , "model" : "a,b , c" }',
  '{"messages":[{"role":"user","content":[{"type":"text","text":"\\u00e9\\ud83d\\ude00\\n"}]}],"model":"é😀"}',
  '{"a":1.0,"b":-0,"c":1e400,"d":9007199254740993,"e":1E-7,"model":"m","e":[true,false,null]}',
  '{"\\u006dodel":"m","\\u0073tream":true,"mode":1,"models":2,"\\"model":3}',
  '{"tools":[{"type":"function","function":{"parameters":{"model":"x","stream":true}}}],"model":"m"}',
  '{"model":"\\ud800","stream":null,"stream":true}',
  '{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]}],"max_tokens":1e3}',
  '{"model":"m","messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"image","source":{"type":"base64","data":"AAAA"}}]}]}]}',
  '{"input":[{"role":"user","content":"x"},{"type":"function_call_output","output":"y"}],"text":{"format":{"type":"json_schema"}},"model":"m"}',
  '{"response_format":{"type":"json_object"},"metadata":{"user_id":"u"},"conversation":{"id":"c"},"model":"m","prompt":"p","tools":[{}]}',
  '\t\r\n {"model":"m"}\n',
  '{"model":""}',
  '{"model":["m"]}',
  '[{"model":"m"}]',
  '"model"',
  '',
].map((body) => Buffer.from(body));

export const JSON_TOKENS: readonly string[] = [
  '"model"',
  '"model":"m"',
  ',"model":"n"',
  '"\\u006dodel"',
  '"\\u006D\\u006f\\u0064\\u0065\\u006C":"m",',
  '"stream"',
  '"stream":true,',
  '"\\u0073tream":true,',
  '\\u',
  '\\u0000',
  '\\ud83d\\ude00',
  '\\ud800',
  '\\u12g4',
  '\\"',
  '\\\\',
  '\\x',
  '\xef\xbb\xbf',
  '\xc3\xa9',
  '\xf0\x9f\x98\x80',
  '\xed\xa0\x80',
  '\xc1\xad',
  '\xe2\x82',
  '\xe2\x80\xa8',
  '{}',
  '[]',
  '{"":',
  '}}',
  ']]',
  'true',
  'false',
  'null',
  'nul',
  'NaN',
  '-',
  '-0',
  '00',
  '1.',
  '.5',
  '1e',
  '1e+',
  '1E400',
  '/*x*/',
  '//',
  "'",
  ',',
  ',,',
  ':',
  '\u007f',
  '\u001f',
];

const words = (text: string) => text.split(' ');
const KEYS = ['model', '\\u006dodel', 'mod\\u0065l', 'stream', '\\u0073tream', 'a', '', '\\"', 'modeI', 'é'];
const NEED_KEYS = [
  ...words('tools functions response_format text messages m\\u0065ssages input prompt'),
  ...words('max_tokens max_completion_tokens max_output_tokens max_output_token\\u0073'),
  ...words('prompt_cache_key session_id conversation metadata'),
];
const INNER_KEYS = words('type t\\u0079pe role content data input_audio format id user_id a model');
const STRINGS = [
  ...words('image_url input_image image video_url input_video input_audio audio_url file'),
  ...words('input_file document im\\u0061ge json_object json_schema base64 data: d\\u0061ta:x'),
  ...words('tool_result function_call_output custom_tool_call_output user tool function us\\u0065r'),
  'm',
  '',
  'a/b',
  'é😀',
  '\\u00e9',
  '\\ud83d\\ude00',
  '\\udc00',
  '\\n\\"\\\\\\/',
  'x'.repeat(40),
];
const SCALARS = words('true false null 0 -0 1.5 1e400 -1E-7 9007199254740993 512 1e3 0.5e1');
const SPACES = ['', '', '', ' ', '\n', '\t\r\n  '];

/** A valid body that is an object most of the time, with keys that matter. */
export function randomBody(random: Random): Buffer {
  const root = random.chance(0.95) ? object(random, 0) : value(random, 0);
  return Buffer.from(space(random) + root + space(random));
}

/** A body nested about as deep as is allowed: a little less, or a little more. */
export function deepBody(random: Random): Buffer {
  const depth = random.between(995, 1004);
  const opening = Array.from({ length: depth - 1 }, () => (random.chance(0.5) ? '[' : '{"a":'));
  const closing = opening.map((piece) => (piece === '[' ? ']' : '}')).toReversed();
  const inner = `${opening.join('')}${random.chance(0.5) ? '1' : ''}${closing.join('')}`;
  return Buffer.from(`{"model":"m","x":${inner.replace(/\{"a":(?=\})/, '{')}}`);
}

function value(random: Random, depth: number): string {
  const kind = random.below(depth > 4 ? 6 : 9);
  if (kind < 3) return random.pick(SCALARS);
  if (kind < 6) return quoted(random, STRINGS);
  return kind < 8 ? object(random, depth + 1) : list(random, depth + 1);
}

function object(random: Random, depth: number): string {
  const members = Array.from({ length: random.below(6) }, () => {
    const key = quoted(random, depth > 0 ? INNER_KEYS : random.chance(0.5) ? KEYS : NEED_KEYS);
    const isModel = depth === 0 && key.startsWith('"mod') && random.chance(0.8);
    return `${space(random)}${key}${space(random)}:${space(random)}${isModel ? quoted(random, STRINGS) : value(random, depth)}`;
  });
  return `{${members.join(',')}${space(random)}}`;
}

function list(random: Random, depth: number): string {
  const items = Array.from({ length: random.below(4) }, () => space(random) + value(random, depth));
  return `[${items.join(',')}${space(random)}]`;
}

function quoted(random: Random, choices: readonly string[]): string {
  return `"${random.pick(choices)}"`;
}

function space(random: Random): string {
  return random.pick(SPACES);
}
