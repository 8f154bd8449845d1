import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { LifecycleService } from '../src/lifecycle/lifecycle.service.js';
import { ChutesSimulator } from '../src/simulator/chutes-simulator.js';
import type { Behaviour } from '../src/simulator/faults/misbehaviour.js';
import { type Answer, type AskOptions, complete, selectedOf } from './support/ask.js';
import { metricsOf } from './support/metrics.js';
import { type Env, eventually, startRouter, type TestRouter } from './support/router.js';

// Takes some seconds where the machine is busy.
jest.setTimeout(60_000);

const ALIAS = 'chutesai/AutoPilot';
const [A, B] = ['m/a', 'm/b'] as const;

type CompleteOptions = AskOptions & { readonly path?: string };

/** Long enough for the requests that are to come while it lasts. */
const LONG: Env = { COOLDOWN_FAILURES: '3', COOLDOWN_MS: '600000', COOLDOWN_MAX_MS: '600000' };
/** However busy the machine is, nothing runs out of time. */
const PATIENT: Env = { UPSTREAM_HEADER_TIMEOUT_MS: '30000' };
/** Short enough to be waited for. */
const SHORT: Env = { ...LONG, COOLDOWN_MS: '3000' };

let chutes: ChutesSimulator;
let router: TestRouter;
let clients = 0;

beforeAll(async () => {
  chutes = await ChutesSimulator.start({ simModels: false });
});

beforeEach(() => {
  chutes.models = [A, B];
  chutes.utilization = [A, B].map((name, place) => ({ name, active_instance_count: 9 - place }));
});

afterEach(async () => {
  await router.close();
  for (const model of [A, B]) chutes.behave(model, 'normal', { times: 0 });
});

afterAll(async () => {
  await chutes.close();
});

async function start(env: Env): Promise<void> {
  router = await startRouter(chutes, {
    UPSTREAM_HEADER_TIMEOUT_MS: '300',
    UPSTREAM_PATIENT_TIMEOUT_MS: '20000',
    ...env,
  });
}

/** A request of a client that has not been here before. */
async function ask(model: string, fields: object = {}, options: CompleteOptions = {}): Promise<Answer> {
  clients += 1;
  const headers = { authorization: `Bearer cpk_${clients}`, ...options.headers };
  return complete(router, { model, stream: true, ...fields }, { ...options, headers });
}

/** A stream of a new client's that has begun at the client's. */
async function begin(): Promise<{ readonly by: string | null; readonly ended: Promise<unknown> }> {
  clients += 1;
  const response = await fetch(`${router.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer cpk_${clients}` },
    body: JSON.stringify({ model: ALIAS, stream: true }),
  });
  return {
    by: response.headers.get('x-chutes-autopilot-selected'),
    ended: response.text().catch(() => undefined),
  };
}

/** Who answered a new client, and by which attempt. */
async function chosen(model = ALIAS): Promise<readonly unknown[]> {
  const answer = await ask(model);
  return [selectedOf(answer), answer.headers.get('x-chutes-autopilot-attempts')];
}

async function failThrice(model: string = A, how: 'unavailable' | 'reset' = 'unavailable'): Promise<void> {
  chutes.behave(model, how, { times: 3 });
  for (let n = 0; n < 3; n += 1) await ask(model);
}

function linesOf(msg: string): readonly Readonly<Record<string, unknown>>[] {
  return router.logs.filter((line) => line['msg'] === msg);
}

/** Holds the answer of whoever gets there, before it begins or when it has. */
function holding(from: 'headers' | 'first event' = 'first event'): {
  script: Behaviour;
  arrived: Promise<void>;
  release: () => void;
  count: () => number;
} {
  const [arrival, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let count = 0;
  return {
    script: {
      kind: 'scripted',
      async script(exchange) {
        count += 1;
        if (from === 'headers') {
          arrival.resolve();
          await release.promise;
        }
        await exchange.head(200, { 'content-type': 'text/event-stream' });
        await exchange.event('{}');
        arrival.resolve();
        await release.promise;
      },
    },
    arrived: arrival.promise,
    release: release.resolve,
    count: () => count,
  };
}

/** New clients ask until one of them gets there, whose answer is still to end. */
async function untilArrived(arrived: Promise<unknown>): Promise<{ answer: Promise<Answer> }> {
  const there = arrived.then(() => 'there' as const);
  for (;;) {
    const asking = ask(ALIAS);
    const first = await Promise.race([there, asking]);
    if (first === 'there') return { answer: asking };
    expect(selectedOf(first)).toBe(B);
  }
}

async function nothingCounted(): Promise<void> {
  expect(await chosen()).toEqual([A, '1']);
  expect(linesOf('model cooling')).toEqual([]);
  expect((await metricsOf(router)).by('model', 'cooldowns_total')).toEqual({});
}

describe('a count of tokens', () => {
  const COUNT = '/v1/messages/count_tokens';

  test('CDN-13: is no failure, however often it fails', async () => {
    await start(LONG);
    chutes.behave(A, 'unavailable', { times: 4 });
    for (let n = 0; n < 4; n += 1) {
      expect(selectedOf(await ask(ALIAS, { stream: false }, { path: COUNT }))).toBe(B);
    }
    await nothingCounted();
  });

  test('CDN-13: is no success either', async () => {
    await start(LONG);
    chutes.behave(A, 'unavailable', { times: 2 });
    expect([await chosen(), await chosen()]).toEqual([
      [B, '2'],
      [B, '2'],
    ]);
    expect(selectedOf(await ask(ALIAS, { stream: false }, { path: COUNT }))).toBe(A);
    chutes.behave(A, 'unavailable', { times: 1 });
    expect([await chosen(), await chosen()]).toEqual([
      [B, '2'],
      [B, '1'],
    ]);
  });
});

describe('the better one of two', () => {
  test.each<[string, Behaviour, string]>([
    ['hangs', { kind: 'silent' }, 'upstream_header_timeout'],
    ['says 503', { kind: 'unavailable' }, 'upstream_503'],
    ['resets', { kind: 'reset' }, 'upstream_reset'],
    ['begins with an error', { kind: 'error-event', afterChunks: 0 }, 'upstream_error_event'],
    ['breaks after the commit', { kind: 'cut-stream' }, 'upstream_stream_interrupted'],
  ])('CDN-1, CDN-4: %s: three find out, no fourth one, and one brings all back', async (_, how, reason) => {
    await start({ ...SHORT, COOLDOWN_MAX_MS: '3000', UPSTREAM_PATIENT_TIMEOUT_MS: '60000' });
    chutes.behave(A, how, { times: 3 });
    const attempts: unknown[] = [];
    for (let n = 0; n < 3; n += 1) {
      const answer = await ask(ALIAS).catch(() => undefined);
      attempts.push(answer?.headers.get('x-chutes-autopilot-attempts') ?? 'broken');
    }
    expect(new Set(attempts)).toEqual(new Set([how.kind === 'cut-stream' ? 'broken' : '2']));
    await eventually(() => linesOf('model cooling').length === 1);
    const probe = holding();
    chutes.behave(A, probe.script, { times: 1 });
    expect(await chosen()).toEqual([B, '1']);
    expect(linesOf('model cooling')).toEqual([
      expect.objectContaining({ level: 'warn', model: A, reason, cooldowns: 1 }),
    ]);

    const { answer: probing } = await untilArrived(probe.arrived);
    for (let n = 0; n < 5; n += 1) expect(await chosen()).toEqual([B, '1']);
    expect(probe.count()).toBe(1);
    probe.release();
    expect(selectedOf(await probing)).toBe(A);
    await eventually(() => linesOf('model well again').length === 1);
    for (let n = 0; n < 5; n += 1) expect(await chosen()).toEqual([A, '1']);
    const metrics = await metricsOf(router);
    expect(metrics.by('model', 'cooldowns_total')).toEqual({ [A]: 1 });
    expect(metrics.by('outcome', 'probes_total')).toEqual({ ok: 1 });
    expect(metrics.value('cooling_models')).toBe(0);
  });

  test('CDN-2, CDN-4: still fails when it is tried again: one finds out, and it cools for longer', async () => {
    await start({ ...SHORT, COOLDOWN_MS: '1000' });
    await failThrice();
    chutes.behave(A, 'unavailable', { times: 1 });
    await eventually(async () => (await chosen())[1] === '2');
    expect(linesOf('model cooling').map(({ cooldowns }) => cooldowns)).toEqual([1, 2]);
    const [first = 0, second = 0] = linesOf('model cooling').map(({ cooldown_ms: ms }) => Number(ms));
    expect(second / first).toBeGreaterThan(2 * (0.9 / 1.1) - 0.1);
    expect(await chosen()).toEqual([B, '1']);
    expect((await metricsOf(router)).by('outcome', 'probes_total')).toEqual({ failed: 1 });
  });
});

describe('while a model cools', () => {
  beforeEach(async () => {
    await start(LONG);
    await failThrice();
  });

  test('CDN-1, CDN-3: failures of direct requests count, and direct requests still go there', async () => {
    expect(await chosen()).toEqual([B, '1']);
    const answer = await ask(A);
    expect([answer.status, selectedOf(answer)]).toEqual([200, null]);
    // That it answered well ends the cooldown.
    expect(await chosen()).toEqual([A, '1']);
  });

  test('CDN-3: a list tries it last, and a list of nothing else tries it', async () => {
    expect(await chosen(`${A},${B}`)).toEqual([B, '1']);
    chutes.behave(B, 'unavailable', { times: 1 });
    chutes.behave(A, 'unauthorized', { times: 2 });
    expect(await chosen(`${A},${B}`)).toEqual([A, '2']);
    expect(await chosen(`${A},`)).toEqual([A, '1']);
  });

  test('CDN-3: when all cool their order is the decided one', async () => {
    await failThrice(B);
    expect(await chosen()).toEqual([A, '1']);
  });

  test('CDN-7: it cools under all its names', async () => {
    expect(await chosen(`${A}:fast,${B}`)).toEqual([B, '1']);
  });

  test('CDN-11: a decision says so, and changes nothing', async () => {
    const headers = { 'x-chutes-autopilot-dry-run': 'true' };
    for (let n = 0; n < 3; n += 1) {
      const document = JSON.parse((await ask(ALIAS, {}, { headers })).text) as {
        candidates: { model: string; why: string }[];
      };
      expect(document.candidates.map(({ model, why }) => [model, why])).toEqual([
        [B, 'ranked'],
        [A, 'cooling'],
      ]);
    }
    expect((await metricsOf(router)).value('cooling_models')).toBe(1);
  });
});

describe('pins', () => {
  const headers = { authorization: 'Bearer cpk_stays' };
  const mine = async (stream = true) => selectedOf(await ask(ALIAS, { stream }, { headers }));

  test('CDN-3: one on a model that cools does not apply, and stays until another model answers well', async () => {
    await start(LONG);
    chutes.utilization = [B, A].map((name, place) => ({ name, active_instance_count: 9 - place }));
    expect(await mine()).toBe(A);
    await failThrice();
    chutes.behave(B, 'unauthorized', { times: 1 });
    expect(await mine()).toBe(B);
    await ask(A);
    expect(await mine()).toBe(A);
    await failThrice();
    expect(await mine()).toBe(B);
    await ask(A);
    expect(await mine()).toBe(B);
  });

  const selected = async (model: string) => selectedOf(await ask(model, { stream: true }, { headers }));

  /** Pinned to B, since A cooled, which is well again now. */
  async function pinnedWhileCooling(model: string): Promise<void> {
    await start({ ...LONG, STICKY_FAILBACK_SECS: '1' });
    await failThrice();
    expect(await selected(model)).toBe(B);
    await ask(A);
  }

  test('STK-48: one that was made while the first of a list cooled ends in its time', async () => {
    await pinnedWhileCooling(`${A},${B}`);
    await eventually(async () => (await selected(`${A},${B}`)) === A);
    expect(await selected(`${A},${B}`)).toBe(A);
  });

  test('STK-48: one that was made while the best of an alias cooled stays', async () => {
    await pinnedWhileCooling(ALIAS);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await selected(ALIAS)).toBe(B);
  });

  test('STK-19: one that was made after the best of an alias failed ends in its time', async () => {
    await start({ ...LONG, STICKY_FAILBACK_SECS: '1' });
    chutes.behave(A, 'unavailable', { times: 1 });
    expect(await selected(ALIAS)).toBe(B);
    await eventually(async () => (await selected(ALIAS)) === A);
  });
});

describe('what does not count', () => {
  test('CDN-5: a thousand clients with a 429 of their own, and no pin moves', async () => {
    await start({ ...LONG, ...PATIENT });
    const pinned = { authorization: 'Bearer cpk_pinned' };
    expect(selectedOf(await ask(ALIAS, {}, { headers: pinned }))).toBe(A);
    chutes.behave(A, 'rate-limited', { times: 1_000 });
    for (let n = 0; n < 999; n += 37) {
      const answers = await Promise.all(Array.from({ length: 37 }, () => ask(ALIAS)));
      expect(new Set(answers.map((answer) => `${answer.status} ${selectedOf(answer)}`))).toEqual(
        new Set([`429 ${A}`]),
      );
    }
    expect((await ask(ALIAS, {}, { headers: pinned })).status).toBe(429);
    chutes.utilization = [B, A].map((name, place) => ({ name, active_instance_count: 9 - place }));
    expect(selectedOf(await ask(ALIAS, {}, { headers: pinned }))).toBe(A);
    await nothingCounted();
  });

  test('CDN-1: failures between which streams begin, though none of these has ended', async () => {
    await start({ ...LONG, ...PATIENT });
    const running: Promise<unknown>[] = [];
    const releases: (() => void)[] = [];
    for (let n = 0; n < 6; n += 1) {
      chutes.behave(A, 'unavailable', { times: 1 });
      expect(await chosen()).toEqual([B, '2']);
      const held = holding();
      chutes.behave(A, held.script, { times: 1 });
      const { by, ended } = await begin();
      expect(by).toBe(A);
      running.push(ended);
      releases.push(held.release);
    }
    await nothingCounted();
    for (const release of releases) release();
    await Promise.all(running);
  });

  test.each<[string, Behaviour, string]>([
    [
      'requests that the model cannot do',
      { kind: 'status', status: 400, body: '{"detail":"x does not support tools"}' },
      B,
    ],
    ['refusals of an account', { kind: 'unauthorized' }, A],
    ['errors that are nobody’s in particular', { kind: 'internal-error' }, A],
  ])('CDN-5: %s', async (_, how, by) => {
    await start(LONG);
    chutes.behave(A, how, { times: 6 });
    for (let n = 0; n < 6; n += 1) expect(selectedOf(await ask(ALIAS))).toBe(by);
    await nothingCounted();
  });

  test('CDN-5: clients that leave, before the commit or after it', async () => {
    await start({ ...LONG, ...PATIENT });
    for (const from of ['headers', 'first event'] as const) {
      for (let n = 0; n < 4; n += 1) {
        const held = holding(from);
        chutes.behave(A, held.script, { times: 1 });
        const leaving = new AbortController();
        const asking = ask(ALIAS, {}, { signal: leaving.signal });
        await held.arrived;
        const before = router.requestLogs.length;
        leaving.abort();
        await expect(asking).rejects.toThrow('aborted');
        await eventually(() => router.requestLogs.length > before);
        held.release();
      }
    }
    await nothingCounted();
  });

  test('CDN-5: answers that the end of the process cuts, or keeps from beginning', async () => {
    await start({ ...LONG, ...PATIENT, SHUTDOWN_GRACE_MS: '0' });
    const asking: Promise<unknown>[] = [];
    for (const from of [
      'headers',
      'first event',
      'headers',
      'first event',
      'headers',
      'first event',
    ] as const) {
      const held = holding(from);
      chutes.behave(A, held.script, { times: 1 });
      if (from === 'first event') {
        asking.push((await begin()).ended);
      } else {
        asking.push(ask(ALIAS).catch(() => undefined));
        await held.arrived;
      }
    }
    await router.app.get(LifecycleService).stop();
    await Promise.all(asking);
    expect(router.requestLogs.map(({ status }) => String(status)).toSorted()).toEqual([
      '200',
      '200',
      '200',
      '503',
      '503',
      '503',
    ]);
    expect(linesOf('model cooling')).toEqual([]);
  });

  test('CDN-5: requests for which there is no connection', async () => {
    await start({ ...LONG, UPSTREAM_MAX_CONNECTIONS: '1', UPSTREAM_CONNECT_TIMEOUT_MS: '300' });
    const blocker = holding();
    chutes.behave(A, blocker.script, { times: 1 });
    const blocking = ask(A);
    await blocker.arrived;
    for (let n = 0; n < 4; n += 1) expect((await ask(ALIAS)).status).toBe(503);
    blocker.release();
    await blocking;
    await nothingCounted();
  });
});

test('CDN-4: a client that leaves during the probe leaves the next one to be it', async () => {
  await start({ ...SHORT, ...PATIENT });
  await failThrice();
  const probe = holding();
  chutes.behave(A, probe.script, { times: 1 });
  const leaving = new AbortController();
  // Direct requests go there anyway: this one begins when the cooldown is over, or a later one does.
  await eventually(async () => {
    const asking = ask(ALIAS, {}, { signal: leaving.signal }).catch(() => undefined);
    await Promise.race([asking, probe.arrived]);
    return probe.count() === 1;
  });
  expect(await chosen()).toEqual([B, '1']);
  leaving.abort();
  await eventually(async () => (await chosen())[0] === A);
  expect((await metricsOf(router)).by('outcome', 'probes_total')).toEqual({ ok: 1 });
  expect(linesOf('model cooling')).toHaveLength(1);
});
