import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import { chuteIdOf, modelEntry } from '../src/simulator/feeds/simulated-models.js';
import { type Answer, ask, errorOf } from './support/ask.js';
import { startRouter, type TestRouter } from './support/router.js';

const NONCE = '0123456789abcdef'.repeat(4);
const TEE = 'b/confidential-TEE';
const OPEN = 'a/open';
const ODD = 'f/ödd %2F name?#-TEE';
const UNKNOWN_UUID = 'ffffffff-0000-4000-8000-00000000000f';

let chutes: ChutesSimulator;
let router: TestRouter;

beforeAll(async () => {
  chutes = await ChutesSimulator.start({ simModels: false });
  chutes.models = [
    OPEN,
    TEE,
    modelEntry('c/no-chute-TEE', { chute_id: undefined }),
    modelEntry('d/odd-chute-TEE', { chute_id: 'x/../../../users' }),
    ODD,
    modelEntry('e/unsaid', { confidential_compute: undefined }),
  ];
  chutes.utilization = [TEE];
  router = await startRouter(chutes);
});

afterAll(async () => {
  await router.close();
  await chutes.close();
});

describe('the question', () => {
  test.each([
    ['EVD-3', 'a UUID', chuteIdOf(TEE), chuteIdOf(TEE)],
    ['EVD-3', 'a UUID in upper case', chuteIdOf(TEE).toUpperCase(), chuteIdOf(TEE).toUpperCase()],
    ['EVD-3', 'a UUID that the catalog lacks', UNKNOWN_UUID, UNKNOWN_UUID],
    ['EVD-4', 'a name', encodeURIComponent(TEE), chuteIdOf(TEE)],
    ['EVD-4', 'a name of odd characters', encodeURIComponent(ODD), chuteIdOf(ODD)],
    ['EVD-4', 'a name that is not said to be confidential', 'e%2Funsaid', chuteIdOf('e/unsaid')],
  ])('%s, EVD-7: %s', async (_clause, _, chute, chuteId) => {
    await ask(router, `/chutes/${chute}/evidence?nonce=${NONCE}`);
    const request = await nextEvidence(chuteId);
    expect([request.method, request.path]).toEqual(['GET', `/chutes/${chuteId}/evidence?nonce=${NONCE}`]);
    expect(request.body.length).toBe(0);
  });

  test('EVD-7: of the query the nonce alone goes upstream', async () => {
    const nonce = 'ABCDEF0123456789'.repeat(4);
    await ask(router, `/chutes/${UNKNOWN_UUID}/evidence?a=1&nonce=${nonce}&b=%2e%2e#c`);
    expect((await nextEvidence(UNKNOWN_UUID)).path).toBe(`/chutes/${UNKNOWN_UUID}/evidence?nonce=${nonce}`);
  });

  test('EVD-7: a path before it is kept', async () => {
    const prefixed = await startRouter(chutes, { EVIDENCE_BASE_URL: `${chutes.url}/gate/way/` });
    await ask(prefixed, `/chutes/${UNKNOWN_UUID}/evidence?nonce=${NONCE}`);
    await prefixed.close();
    const path = `/gate/way/chutes/${UNKNOWN_UUID}/evidence`;
    expect((await chutes.nextRequest(path)).path).toBe(`${path}?nonce=${NONCE}`);
  });

  test.each([
    ['no nonce', ''],
    ['63 characters', `?nonce=${NONCE.slice(1)}`],
    ['two', `?nonce=${NONCE}&nonce=${NONCE}`],
    ['a further question mark', `?nonce=${NONCE}?x`],
    ['the second after a question mark', `?nonce=${NONCE}?&nonce=${NONCE}`],
  ])('EVD-2: %s is refused and goes nowhere', async (_, query) => {
    const answer = await refused(`/chutes/${chuteIdOf(TEE)}/evidence${query}`);
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ type: 'invalid_request_error', code: 'invalid_nonce' });
  });

  test.each([
    ['an unknown name', 'a%2Fnobody'],
    ['an alias', 'chutesai%2FAutoPilot'],
    ['a name without a chute', 'c%2Fno-chute-TEE'],
    ['a name whose chute_id is no UUID', 'd%2Fodd-chute-TEE'],
    ['half a UUID', UNKNOWN_UUID.slice(0, 18)],
    ['a way out', '%2e%2e%2fusers'],
    ['a very long name', 'x'.repeat(8_000)],
  ])('EVD-5: %s is not found and goes nowhere', async (_, chute) => {
    const answer = await refused(`/chutes/${chute}/evidence?nonce=${NONCE}`);
    expect(answer.status).toBe(404);
    expect(errorOf(answer)).toMatchObject({ type: 'invalid_request_error', code: 'model_not_found' });
  });

  test.each([
    ['its name', encodeURIComponent(OPEN)],
    ['its UUID', chuteIdOf(OPEN)],
  ])('EVD-6: what is not confidential is refused by %s and goes nowhere', async (_, chute) => {
    const answer = await refused(`/chutes/${chute}/evidence?nonce=${NONCE}`);
    expect(answer.status).toBe(400);
    expect(errorOf(answer)).toMatchObject({ type: 'invalid_request_error', code: 'not_confidential' });
  });
});

/** Asks, then makes sure that nothing of it has gone upstream before the next good question. */
async function refused(path: string): Promise<Answer> {
  const before = chutes.requests.length;
  const answer = await ask(router, path);
  await ask(router, `/chutes/${UNKNOWN_UUID}/evidence?nonce=${NONCE}`);
  await nextEvidence(UNKNOWN_UUID);
  expect(chutes.requests.slice(before).filter(({ pathname }) => pathname.endsWith('/evidence'))).toHaveLength(
    1,
  );
  return answer;
}

async function nextEvidence(chuteId: string) {
  return chutes.nextRequest(`/chutes/${chuteId}/evidence`);
}
