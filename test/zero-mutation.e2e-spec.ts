import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { complete } from './support/ask.js';
import { answerTo, chunksOf, postHead } from './support/raw-upload.js';
import { startRouter, type TestRouter } from './support/router.js';

// Takes some seconds where the machine is busy.
jest.setTimeout(60_000);

const ALIAS = 'chutesai/AutoPilot';
const BEST = 'a/best';

let chutes: ChutesSimulator;
let router: TestRouter;

beforeAll(async () => {
  chutes = await ChutesSimulator.start({ simModels: false });
  // Of what takes any length.
  chutes.models = [{ id: BEST }, 'b/other'];
  chutes.utilization = [BEST];
  router = await startRouter(chutes);
});

afterAll(async () => {
  await router.close();
  await chutes.close();
});

const rest = [
  String.raw`"a":1.0,"b":1e400,"c":-0,"d":1234567890123456789,"e":0.1e-7,"f":1E+2`,
  String.raw`"same":1,"same":2,"same":3`,
  String.raw`"\u006d":"\u00e9\/\n\ud83d\ude00","é":"😀\u2028"`,
  String.raw`"messages":[{"role":"user","content":"\"model\":\"x\""},{"model":"inner"}]`,
  '\t"x"\r\n:\n[ 1 ,\t2 ]  ,"":{} , "y":{ "z" : [[ ]] }',
  String.raw`"__proto__":{"a":1},"constructor":null,"stream":false`,
];

test.each([
  ['an alias', `"${ALIAS}"`],
  ['an alias with escapes', String.raw`"chutesai\u002fAuto\u0050ilot"`],
  ['a list', `" ${BEST} , b/other "`],
  ['a list with an alias', String.raw`"\u0063hutesai/AutoPilot,b/other"`],
])('REQ-12: with %s only the bytes of the value change', async (_, value) => {
  for (const pairs of rest) {
    for (const [before, after] of [
      ['{"model":', `,${pairs}}`],
      [`{${pairs},"model" \t:\r\n `, ' }\n'],
      [` \n{ "\\u006dodel":`, `\t,${pairs}} `],
    ]) {
      expect((await complete(router, before + value + after)).status).toBe(200);
      expect((await chutes.nextRequest()).body.toString()).toBe(`${before}"${BEST}"${after}`);
    }
  }
});

test('REQ-12, REQ-13: any order, white space and spelling survives', async () => {
  const space = fc.array(fc.constantFrom(' ', '\t', '\n', '\r'), { maxLength: 3 }).map((all) => all.join(''));
  const pair = fc.tuple(space, fc.constantFrom(...rest), space).map((parts) => parts.join(''));
  const half = fc.array(pair, { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(half, half, space, fc.boolean(), async (before, after, gap, isDirect) => {
      const bodyWith = (value: string) =>
        `${gap}{${[...before, `${gap}"model"${value}`, ...after].join(',')}}${gap}`;
      const value = isDirect ? `:"a\\/be\\u0073t"` : `:"${ALIAS}"`;
      expect((await complete(router, bodyWith(value))).status).toBe(200);
      const expected = isDirect ? bodyWith(value) : bodyWith(`:"${BEST}"`);
      expect((await chutes.nextRequest()).body.toString()).toBe(expected);
    }),
    { numRuns: 60 },
  );
});

test.each([
  ['as it stands', `"${BEST}"`],
  ['with escapes', String.raw`"\u0061\/best"`],
  ['with a suffix', `"${BEST}:latency"`],
])('REQ-13: a direct model’s body is identical: %s', async (_, value) => {
  for (const pairs of rest) {
    const body = ` { ${pairs} , "model" : ${value} }\r\n`;
    expect((await complete(router, body)).status).toBe(200);
    expect((await chutes.nextRequest()).body.toString()).toBe(body);
  }
});

test('REQ-12: it makes no difference where the body is cut on its way', async () => {
  const body = Buffer.from(`{"é":"😀","model":"${ALIAS}","ü":[1.0]}`);
  const everyByte = Array.from({ length: body.length }, () => 1);
  const chunks = chunksOf(body, everyByte);
  await answerTo(router, [postHead('Transfer-Encoding: chunked'), ...chunks, '0\r\n\r\n']);
  const request = await chutes.nextRequest();
  expect(request.body.toString()).toBe(`{"é":"😀","model":"${BEST}","ü":[1.0]}`);
  expect(request.headers['content-length']).toBe(String(request.body.length));
});

test('REQ-12: a large body keeps every byte', async () => {
  const filling = Buffer.alloc(1_000_000, '\u00e9\\u0000x ');
  const body = Buffer.concat([Buffer.from(`{"a":"`), filling, Buffer.from(`","model":"${ALIAS}"}`)]);
  expect((await complete(router, body)).status).toBe(200);
  const expected = Buffer.concat([Buffer.from(`{"a":"`), filling, Buffer.from(`","model":"${BEST}"}`)]);
  expect((await chutes.nextRequest()).body.equals(expected)).toBe(true);
});
