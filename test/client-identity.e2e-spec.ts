import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { isSameClient } from './support/caller.js';
import { chutesWith } from './support/chutes-with.js';
import { startRouter, type TestRouter } from './support/router.js';

const [A, B] = ['m/a', 'm/b'] as const;
const LIST = `${A},${B}`;

let chutes: ChutesSimulator;
let router: TestRouter;

beforeAll(async () => {
  chutes = await chutesWith([A, B]);
  router = await startRouter(chutes);
});

afterAll(async () => {
  await router.close();
  await chutes.close();
});

type Headers = Readonly<Record<string, string>>;

async function isSame(pinned: Headers, asking: Headers, of = router): Promise<boolean> {
  return isSameClient(chutes, of, LIST, pinned, asking);
}

describe('the bearer token', () => {
  test.each<[string, Headers, Headers, boolean]>([
    ['the same one', bearer('cpk_1'), bearer('cpk_1'), true],
    ['the scheme in another case', bearer('cpk_2'), { authorization: 'BEARER  cpk_2' }, true],
    ['another one', bearer('cpk_3'), bearer('cpk_3x'), false],
    ['none', bearer('cpk_4'), {}, false],
    ['one of another scheme', bearer('cpk_5'), { authorization: 'Basic cpk_5' }, false],
    ['with another body and other headers', bearer('cpk_6'), { ...bearer('cpk_6'), 'user-agent': 'x' }, true],
  ])('STK-4, STK-12: makes the client: %s', async (_, pinned, asking, same) => {
    expect(await isSame(pinned, asking)).toBe(same);
  });
});

describe('the session', () => {
  test.each<[string, Headers, Headers, boolean]>([
    ['the same one', session('1'), session('1'), true],
    ['another one', session('2'), session('3'), false],
    ['none', session('4'), bearer('cpk'), false],
    ['one after none', bearer('cpk_none'), { ...bearer('cpk_none'), 'x-session-id': '5' }, false],
    ['the same one of another client', session('6'), { ...session('6'), ...bearer('other') }, false],
    ['a token that reads like both', session('7'), bearer('cpk7'), false],
  ])('STK-4, STK-14: belongs to the client: %s', async (_, pinned, asking, same) => {
    expect(await isSame(pinned, asking)).toBe(same);
  });

  test('STK-14: its header can be named', async () => {
    const other = await startRouter(chutes, { STICKY_SESSION_HEADER: 'X-Conversation' });
    const [one, two] = [{ 'x-conversation': '1' }, { 'x-conversation': '2' }];
    expect(await isSame(one, two, other)).toBe(false);
    expect(await isSame({ ...two, 'x-session-id': '1' }, { ...two, 'x-session-id': '2' }, other)).toBe(true);
    await other.close();
  });
});

describe('no bearer token', () => {
  test.each<[string, Headers, Headers]>([
    ['at all', {}, {}],
    ['in a scheme of another kind', { authorization: 'Basic YTpi' }, { authorization: 'Digest x' }],
    ['behind the scheme', { authorization: 'Bearer' }, {}],
  ])('STK-13: the address makes the client: none %s', async (_, pinned, asking) => {
    const of = await startRouter(chutes);
    expect(await isSame(pinned, asking, of)).toBe(true);
    await of.close();
  });

  test('STK-13, STK-14: a session belongs to the address, too', async () => {
    expect(await isSame({ 'x-session-id': '8' }, { 'x-session-id': '9' })).toBe(false);
    expect(await isSame({ 'x-session-id': '10' }, { 'x-session-id': '10' })).toBe(true);
  });

  test.each([
    'x-forwarded-for',
    'x-real-ip',
    'forwarded',
    'true-client-ip',
    'cf-connecting-ip',
    'x-client-ip',
  ])('STK-16: %s does not name the address', async (name) => {
    const of = await startRouter(chutes);
    expect(await isSame({ [name]: '203.0.113.1' }, { [name]: '203.0.113.2' }, of)).toBe(true);
    await of.close();
  });
});

function bearer(token: string): Headers {
  return { authorization: `Bearer ${token}` };
}

function session(id: string): Headers {
  return { ...bearer('cpk'), 'x-session-id': id };
}
