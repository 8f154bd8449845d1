import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { BODY_NEEDS, expectedNeeds } from '../../test/fuzz/needs-oracle.js';
import { cut } from '../../test/support/cut.js';
import { spelled } from '../../test/support/json-spellings.js';
import { jsonTree, plainValue } from '../../test/support/json-tree.js';
import { needsIn } from '../catalog/abilities.js';
import { conversationOf, readAsked, sessionOf } from './asked.js';

/** However a body is cut, the same has to come of it. */
const SIZES = [1, 2, 5, 7, 100_000];

function read(json: string) {
  const body = Buffer.from(json);
  const all = SIZES.map((size) => readAsked(cut(body, size)));
  for (const asked of all) expect(asked).toEqual(all[0]);
  return { ...(all[0] as (typeof all)[number]), body };
}

/** @param members of the body, beside its model */
function needsOf(members: string): readonly string[] {
  return needsIn(read(`{"model":"m",${members}}`).needs);
}

const messageWith = (type: string) =>
  `{"role":"user","content":[{"type":"text","text":"x"},{"type":"${type}"}]}`;

describe('what is needed', () => {
  test.each<[members: string, needs: string[]]>([
    ['"a":1', []],
    ['"tools":[{"type":"function"}]', ['tools']],
    ['"functions":[null]', ['tools']],
    ['"tools":[[]]', ['tools']],
    ['"tools":[ ]', []],
    ['"tools":{"0":{}}', []],
    ['"tools":"[1]"', []],
    ['"tools":null', []],
    ['"tool":[1],"Tools":[1],"toolss":[1]', []],
    ['"x":{"tools":[1]},"messages":[{"tools":[1]}]', []],
    ['"tools":[1],"tools":[]', []],
    ['"tools":[],"\\u0074ool\\u0073":[1]', ['tools']],
    ['"tools":[1],"functions":[]', ['tools']],
  ])('REQ-17: %s needs %j', (members, needs) => {
    expect(needsOf(members)).toEqual(needs);
  });

  test.each<[members: string, needs: string[]]>([
    ['"response_format":{"type":"json_object"}', ['json_mode']],
    ['"response_format":{"json_schema":{"type":"object"},"type":"json_schema"}', ['structured_outputs']],
    ['"text":{"format":{"type":"json_schema","schema":{"type":"json_object"}}}', ['structured_outputs']],
    ['"text":{"format":{"type":"json_object"}}', ['json_mode']],
    [
      '"response_format":{"type":"json_object"},"text":{"format":{"type":"json_schema"}}',
      ['json_mode', 'structured_outputs'],
    ],
    ['"response_format":{"\\u0074ype":"json_\\u006fbject"}', ['json_mode']],
    ['"response_format":{"type":"text"}', []],
    ['"response_format":{"type":"json_objects"},"text":{"format":{"type":"json_"}}', []],
    ['"response_format":{"type":["json_object"]}', []],
    ['"response_format":"json_object"', []],
    ['"response_format":[{"type":"json_object"}]', []],
    ['"response_format":{"x":{"type":"json_object"}}', []],
    ['"text":{"type":"json_object"},"format":{"type":"json_object"}', []],
    ['"text":{"x":{"format":{"type":"json_object"}},"format":[{"type":"json_object"}]}', []],
    ['"text":[{"format":{"type":"json_object"}}]', []],
    ['"messages":[{"type":"json_object"}],"x":{"response_format":{"type":"json_object"}}', []],
    ['"response_format":{"type":"json_object"},"response_format":null', []],
    ['"response_format":{"type":"json_object","type":"text"}', []],
    ['"text":{"format":{"type":"json_object"},"format":1}', []],
    ['"text":{"format":{"type":"json_object"},"format":"json_object"}', []],
    ['"text":{"format":{"type":"json_object"}},"text":{}', []],
  ])('REQ-18: %s needs %j', (members, needs) => {
    expect(needsOf(members)).toEqual(needs);
  });

  test.each<[type: string, needs: string[]]>([
    ['image_url', ['image']],
    ['input_image', ['image']],
    ['image', ['image']],
    ['video_url', ['video']],
    ['input_video', ['video']],
    ['input_audio', ['audio']],
    ['audio_url', ['audio']],
    ['file', ['file']],
    ['input_file', ['file']],
    ['document', ['file']],
    ['text', []],
    ['Image', []],
    ['images', []],
    ['imag', []],
    ['', []],
    ['base64', []],
    ['audio', []],
    ['video', []],
  ])('REQ-19: a part of the type %j needs %j', (type, needs) => {
    expect(needsOf(`"messages":[${messageWith(type)}]`)).toEqual(needs);
    expect(needsOf(`"input":[${messageWith(type)}]`)).toEqual(needs);
    expect(
      needsOf(`"metadata":[${messageWith(type)}],"prompt":[${messageWith(type)}],"type":"${type}"`),
    ).toEqual([]);
  });

  test.each<[members: string, needs: string[]]>([
    ['"messages":[{"content":[{"type":"tool_result","content":[{"type":"image"}]}]}]', ['image']],
    ['"messages":{"a":[[{"b":{"x":1,"type":"file"}}]]}', ['file']],
    ['"input":{"type":"input_image"}', ['image']],
    ['"messages":[{"\\u0074y\\u0070e":"ima\\u0067e_u\\u0072l"}]', ['image']],
    [
      '"messages":[{"type":"file"},{"type":"image"}],"input":[{"type":"video_url"}]',
      ['image', 'video', 'file'],
    ],
    ['"messages":[{"type":"image","type":"text"}]', []],
    ['"messages":[{"type":"image","type":1}]', []],
    ['"messages":[{"type":"text","type":"image"}]', ['image']],
    ['"messages":[{"type":"image"}],"messages":[]', []],
    ['"messages":[],"m\\u0065ssages":[{"type":"image"}]', ['image']],
    ['"messages":[{"image_url":{"url":"x"}}]', []],
    ['"messages":[{"type":["image"]},{"types":"image"},["type","image"],"image"]', []],
    ['"messages":[{"content":"{\\"type\\":\\"image_url\\"}"}]', []],
    ['"tools":[{"function":{"parameters":{"properties":{"image_url":{"type":"image"}}}}}]', ['tools']],
    ['"messages":[{"type":{"type":"image"}}]', ['image']],
    ['"messages":[{"x":{"type":"image"},"type":"text"}]', ['image']],
    ['"x":{"messages":[{"type":"image"}],"input":{"type":"image"}}', []],
    ['"type":"image","messages":[]', []],
    ['"messages":[{"type":"image_urx"},{"type":"imagX_url"},{"type":"document "}]', []],
    ['"messages":[{"\\u0174ype":"image"},{"type":"\\u0169mage"},{"type":"imag\u0165"}]', []],
  ])('REQ-19: %s needs %j', (members, needs) => {
    expect(needsOf(members)).toEqual(needs);
  });
});

describe('how much is asked for', () => {
  test.each<[members: string, tokens: number]>([
    ['"a":1', 0],
    ['"max_tokens":512', 512],
    ['"max_completion_tokens":7', 7],
    ['"max_output_tokens":8', 8],
    ['"max_tokens":5,"max_output_tokens":70,"max_completion_tokens":6', 70],
    ['"max_tokens":1e3', 1000],
    ['"max_tokens":1E+3', 1000],
    ['"max_tokens":1000.0', 1000],
    ['"max_tokens":0.5e1', 5],
    ['"max_tokens":0.005e3', 5],
    ['"max_tokens":1200e-2', 12],
    ['"max_tokens":1.5', 0],
    ['"max_tokens":15e-1', 0],
    ['"max_tokens":1.00000000000000000000001', 0],
    ['"max_tokens":0', 0],
    ['"max_tokens":0e9', 0],
    ['"max_tokens":0.0', 0],
    ['"max_tokens":-5', 0],
    ['"max_tokens":-0', 0],
    ['"max_tokens":2147483646', 2_147_483_646],
    ['"max_tokens":2147483648', 2_147_483_647],
    ['"max_tokens":9007199254740993', 2_147_483_647],
    ['"max_tokens":1e400', 2_147_483_647],
    ['"max_tokens":1e99999999999999999999', 2_147_483_647],
    ['"max_tokens":1e-99999999999999999999', 0],
    ['"max_tokens":1e4294967296', 2_147_483_647],
    ['"max_tokens":1e-4294967296', 0],
    [`"max_tokens":1${'0'.repeat(400)}e-400`, 1],
    [`"max_tokens":0.${'0'.repeat(400)}1e401`, 1],
    ['"max_tokens":"512"', 0],
    ['"max_tokens":[512]', 0],
    ['"max_tokens":{"max_tokens":512}', 0],
    ['"max_tokens":null,"x":{"max_tokens":9}', 0],
    ['"max_tokens":true', 0],
    ['"max_tokens":512,"max_tokens":null', 0],
    ['"max_tokens":512,"max_tokens":3', 3],
    ['"max_tokens":512,"max\\u005ftokens":4', 4],
  ])('REQ-20: %s limits the answer to %i tokens', (members, tokens) => {
    expect(read(`{"model":"m",${members}}`).answerTokens).toBe(tokens);
    expect(read(`{${members} ,"model":"m"}`).answerTokens).toBe(tokens);
    expect(read(`{"model":"m",${members}\n}`).answerTokens).toBe(tokens);
  });

  test.each<[members: string, media: number]>([
    ['"a":"date:1"', 0],
    ['"a":"data:"', 5],
    ['"a":"data:é"', 7],
    ['"a":["data:1",{"b":"data:23"}]', 13],
    ['"messages":[{"image_url":{"url":"data:image/png;base64,AAAA"}}]', 26],
    ['"a":"\\u0064ata:1"', 11],
    ['"a":"dat\\u0061\\u003A\\n"', 17],
    ['"a":"DATA:1","b":" data:1","c":"data;1","d":"\\ndata:"', 0],
    ['"data:1":"x"', 0],
    ['"a":{"type":"base64","data":"12345"}', 5],
    ['"a":{"data":"12345","type":"base64"}', 5],
    ['"a":{"d\\u0061ta":"1\\n5","\\u0074ype":"bas\\u006564"}', 4],
    ['"a":{"data":"12345","type":"base65"}', 0],
    ['"a":{"data":"12345","x":{"type":"base64"}}', 0],
    ['"a":{"x":{"data":"12345"},"type":"base64"}', 0],
    ['"a":{"type":"base64","data":"data:6"}', 6],
    ['"a":{"type":"base64","data":["12345"]}', 0],
    ['"a":{"type":"base64","data":"12345","data":"1"}', 1],
    ['"a":{"type":"base64","data":"12345","data":null}', 0],
    ['"a":{"type":"base64","data":"12345","type":"text"}', 0],
    ['"a":{"input_audio":{"format":"wav","data":"1234567"}}', 7],
    ['"input_audio":{"data":"1234567"}', 7],
    ['"a":{"input_audio":[{"data":"1234567"}]}', 0],
    ['"a":{"input_audio":{"x":{"data":"1234567"}}}', 0],
    ['"a":{"input_audio":{"data":"1234","type":"base64"}}', 4],
    ['"type":"base64","data":"123"', 3],
    ['"a":[{"input_audio":1},{"data":"12345"}]', 0],
    ['"messages":[{"content":"\\"type\\":\\"base64\\",\\"data\\":\\"123\\""}]', 0],
    [`"a":"data:${'x'.repeat(200_000)}"`, 200_005],
    [`"a":{"data":"${'x'.repeat(200_000)}","type":"base64"}`, 200_000],
  ])('REQ-21: %.60s has %i bytes that are no prompt', (members, media) => {
    const { promptBytes, body } = read(`{"model":"m",${members}}`);
    expect(body.length - promptBytes).toBe(media);
  });
});

describe('who goes on', () => {
  test.each<[element: string, isToolResult: boolean]>([
    ['{"role":"tool","content":"x"}', true],
    ['{"content":"x","role":"function"}', true],
    ['{"role":"to\\u006fl"}', true],
    ['{"type":"function_call_output","output":"x"}', true],
    ['{"output":"x","type":"custom_tool_call_output"}', true],
    ['{"role":"user","content":[{"type":"tool_result","content":"x"}]}', true],
    ['{"role":"user","content":[{"type":"tool_result"},{"type":"text"}]}', true],
    ['{"role":"user","content":"x"}', false],
    ['{"role":"assistant","tool_calls":[{"type":"function"}]}', false],
    ['{"role":"tools"}', false],
    ['{"role":["tool"]}', false],
    ['{"role":"tool","role":"user"}', false],
    ['{"x":{"role":"tool"}}', false],
    ['{"role":"tool"},{"role":"user"}', false],
    ['{"role":"tool"},"tool"', false],
    ['{"role":"tool"},null', false],
    ['{"role":"tool"},[]', false],
    ['[{"role":"tool"}]', false],
    ['{"type":"tool_result"}', false],
    ['{"type":"function"}', false],
    ['{"blocks":[{"type":"tool_result"}]}', false],
    ['{"content":{"type":"tool_result"}}', false],
    ['{"content":[[{"type":"tool_result"}]]}', false],
    ['{"content":[{"type":"text","content":[{"type":"tool_result"}]}]}', false],
    ['{"content":[{"type":"function_call_output"}]}', false],
  ])('REQ-22: ends with a result of a tool: %s: %j', (element, isToolResult) => {
    const messages = read(`{"model":"m","messages":[{"role":"user"},${element}]}`);
    expect(messages.isToolResult).toBe(isToolResult);
    const input = read(`{"input":[{"role":"user"},${element}],"model":"m"}`);
    expect(input.isToolResult).toBe(isToolResult);
  });

  test.each([
    '"messages":{"a":{"role":"tool"}}',
    '"messages":{"a":{"type":"function_call_output"}}',
    '"messages":{"a":{"content":[{"type":"tool_result"}]}}',
    '"messages":[{"content":{"x":{"type":"tool_result"}}}]',
    '"messages":[{"role":"tool"}],"messages":[]',
    '"messages":[{"role":"tool"}],"messages":"x"',
    '"prompt":[{"role":"tool"}]',
    '"tools":[{"role":"tool"}]',
    '"x":{"messages":[{"role":"tool"}]}',
    '"messages":"tool"',
  ])('REQ-22: does not end with a result of a tool: %s', (members) => {
    expect(read(`{"model":"m",${members}}`).isToolResult).toBe(false);
  });

  test.each<[members: string, conversation: string]>([
    [
      '"messages":[{"role":"system"},{"role":"user","content":"é"},1]',
      '[{"role":"system"},{"role":"user","content":"é"}',
    ],
    ['"messages": [ {"role":"user"} ,{"role":"user"}]', '[ {"role":"user"}'],
    [
      '"messages":[{"content":[{"role":"user"}]},{"\\u0072ole":"us\\u0065r"}]',
      '[{"content":[{"role":"user"}]},{"\\u0072ole":"us\\u0065r"}',
    ],
    ['"input":[{"role":"user"},2]', '[{"role":"user"}'],
    ['"input":"Hi é"', '"Hi é"'],
    ['"messages":"Hi"', '"Hi"'],
    ['"prompt":"Hi"', '"Hi"'],
    ['"prompt":"a","input":"b","messages":"c"', '"c"'],
    ['"prompt":"a","input":"b","messages":[]', '"b"'],
    ['"prompt":"a","input":"","messages":null', '"a"'],
    ['"messages":"a","messages":"b"', '"b"'],
    ['"messages":[{"role":"user"}],"messages":[]', ''],
    ['"messages":[{"role":"user","role":"system"}]', ''],
    ['"messages":[{"role":"system"},[{"role":"user"}]]', ''],
    ['"messages":{"a":{"role":"user"}}', ''],
    ['"prompt":["Hi"]', ''],
    ['"prompt":[{"role":"user"}],"messages":[{"role":"users"}],"x":"Hi"', ''],
  ])('REQ-23: %s begins with %j', (members, conversation) => {
    const asked = read(`{"model":"m",${members}}`);
    for (const size of SIZES) {
      const pieces = conversationOf(cut(asked.body, size), asked);
      expect(Buffer.concat(pieces).toString()).toBe(conversation);
    }
  });

  test.each<[members: string, session: string | undefined]>([
    ['"prompt_cache_key":"k\\u00e9\\n"', 'ké\n'],
    ['"session_id":"s"', 's'],
    ['"conversation":"c"', 'c'],
    ['"conversation":{"x":1,"id":"ci"}', 'ci'],
    ['"metadata":{"user_id":"u","x":{}}', 'u'],
    ['"metadata":{"user_id":"u"},"conversation":{"id":"c"},"session_id":"s","prompt_cache_key":"k"', 'k'],
    ['"metadata":{"user_id":"u"},"conversation":{"id":""},"session_id":"","prompt_cache_key":1', 'u'],
    ['"prompt_cache_key":"","session_id":null,"conversation":["c"],"metadata":"u"', undefined],
    ['"conversation":{"x":{"id":"c"}},"metadata":{"x":{"user_id":"u"}},"id":"i","user_id":"u"', undefined],
    ['"conversation":[{"id":"c"}],"metadata":[{"user_id":"u"}]', undefined],
    ['"conversation":{"user_id":"c"},"metadata":{"id":"u"}', undefined],
    ['"conversation":{"id":"a","id":"b"}', 'b'],
    ['"conversation":{"id":"a","id":""}', undefined],
    ['"metadata":{"user_id":"a","user_id":{}}', undefined],
    ['"session_id":"a","session_id":1', undefined],
    ['"metadata":{"user_id":"a"},"metadata":{}', undefined],
    ['"x":{"session_id":"s","prompt_cache_key":"k"}', undefined],
  ])('REQ-24: %s names the session %j', (members, session) => {
    const asked = read(`{"model":"m",${members}}`);
    for (const size of SIZES) expect(sessionOf(cut(asked.body, size), asked)).toBe(session);
  });
});

const words = (text: string) => text.split(' ');
const KEYS = [
  ...words('tools functions response_format text messages input prompt stream'),
  ...words('max_tokens max_completion_tokens max_output_tokens'),
  ...words('prompt_cache_key session_id conversation metadata'),
  ...words('type role content data input_audio format id user_id'),
];
const VALUES = [
  ...words('image_url input_image image video_url input_video input_audio audio_url'),
  ...words('file input_file document base64 json_object json_schema'),
  ...words('tool_result function_call_output custom_tool_call_output user tool function'),
  'data:',
  'data:x',
  'data',
  '',
  'x'.repeat(40),
];
/** What differs from a word in little. */
const near = (texts: readonly string[]) =>
  fc
    .tuple(fc.constantFrom(...texts), fc.constantFrom('', '', '', '', '', 's', '\0', 'é'))
    .chain(([word, end]) =>
      fc.constantFrom(word + end, word + end, word + end, word.slice(0, -1), word.toUpperCase()),
    );
const key = fc
  .oneof({ weight: 4, arbitrary: near(KEYS) }, fc.constantFrom('tools', 'functions'))
  .chain((text) => fc.oneof({ weight: 3, arbitrary: fc.constant(JSON.stringify(text)) }, spelled(text)));
const string = near(VALUES).chain((text) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(JSON.stringify(text)) }, spelled(text)),
);
const number = fc
  .tuple(
    fc.constantFrom('', '', '-'),
    fc.constantFrom('0', '1', '10', '1200', '2147483648', '305'),
    fc.constantFrom('', '', '.0', '.50', '.001'),
    fc.constantFrom('', '', 'e0', 'E+2', 'e-2', 'e3', 'e400'),
  )
  .map((parts) => parts.join(''));
const space = fc.constantFrom('', '', '', '', ' ', '\n\t');
const { value, member } = fc.letrec<{ value: string; member: string }>((tie) => {
  const members = fc.array(tie('member'), { maxLength: 4 });
  return {
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('true', 'null'),
      number,
      string,
      fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
      members.map((all) => `{${all.join(',')}}`),
    ),
    member: fc
      .tuple(key, space, space, tie('value'))
      .map(([name, a, b, content]) => `${name}${a}:${b}${content}`),
  };
});
/** As requests have them: elements with a role, a type and blocks of content. */
const element = fc
  .tuple(
    fc.array(member, { maxLength: 2 }),
    fc.constantFrom('user', 'user', 'system', 'assistant', 'tool', 'function'),
    fc.array(
      fc
        .tuple(string, fc.array(member, { maxLength: 2 }))
        .map(([type, all]) => `{${[`"type":${type}`, ...all].join(',')}}`),
      { maxLength: 3 },
    ),
    fc.array(member, { maxLength: 1 }),
  )
  .map(
    ([before, role, blocks, behind]) =>
      `{${[...before, `"role":"${role}"`, `"content":[${blocks.join(',')}]`, ...behind].join(',')}}`,
  );
const talk = fc
  .tuple(
    fc.constantFrom('messages', 'messages', 'input'),
    fc.array(fc.oneof(element, element, value), { maxLength: 4 }),
  )
  .map(([name, elements]) => `"${name}":[${elements.join(',')}]`);
const limit = fc
  .tuple(fc.constantFrom('max_tokens', 'max_completion_tokens', 'max_output_tokens'), number)
  .map(([name, text]) => `"${name}":${text}`);
const format = fc
  .tuple(
    fc.constantFrom('json_object', 'json_schema', 'text'),
    fc.array(member, { maxLength: 1 }),
    fc.boolean(),
  )
  .map(([type, others, isText]) => {
    const object = `{${[`"type":"${type}"`, ...others].join(',')}}`;
    return isText ? `"text":{"format":${object}}` : `"response_format":${object}`;
  });
const body = fc
  .array(fc.oneof(member, member, talk, limit, format), { maxLength: 7 })
  .map((members) => `{${['"model":"m"', ...members].join(',')}}`);

describe('any body', () => {
  test('REQ-17: is read as one that was parsed', () => {
    fc.assert(
      fc.property(body, (text) => {
        const tree = jsonTree(text);
        expect(plainValue(tree)).toEqual(JSON.parse(text));
        expect(read(text)).toMatchObject(expectedNeeds(text, tree));
      }),
      { numRuns: 3000 },
    );
  });

  test('has whatever it may need often enough', () => {
    const texts = fc.sample(body, 3000);
    const all = texts.map((text) => expectedNeeds(text, jsonTree(text)));
    const counts = [
      ...BODY_NEEDS.map((_, bit) => all.filter(({ needs }) => (needs >> bit) & 1).length),
      all.filter(({ promptBytes }, n) => promptBytes < Buffer.byteLength(texts[n] ?? '')).length,
      all.filter(({ answerTokens }) => answerTokens > 0).length,
      all.filter(({ isToolResult }) => isToolResult).length,
      all.filter(({ conversationEnd }) => conversationEnd > 0).length,
      all.filter(({ sessionEnd }) => sessionEnd > 0).length,
    ];
    expect(Math.min(...counts)).toBeGreaterThan(10);
  });
});
