import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { closedPort } from './support/ports.js';
import type { ConnectRequest, ConnectScript } from './support/connect-proxy.js';
import { EgressStage } from './support/egress-stage.js';
import { chosenBy, linesAbout, refreshed, RESTLESS } from './support/feed-watch.js';
import type { RawConnection } from './support/raw-upstream.js';
import { type Env, eventually, startRouter } from './support/router.js';

const FEEDS = ['models', 'utilization'] as const;
/** As it stands in the URL, and as it is sent. */
const SECRET = new RegExp(`s3cret|${Buffer.from('me:s3cret').toString('base64')}`);

function refuse({ connection }: ConnectRequest): void {
  void connection.write('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
  connection.fin();
}

describe.each([
  { upstream: 'http', proxy: 'http' },
  { upstream: 'https', proxy: 'http' },
] as const)('the feeds, in $upstream', (schemes) => {
  let stage: EgressStage;

  beforeAll(async () => {
    stage = await EgressStage.set(schemes);
  });

  afterAll(async () => stage.close());
  afterEach(async () => stage.clear());

  /** Why a router says that its feeds failed with a proxy that only then behaves. */
  async function failuresWith(
    misbehave: ConnectScript,
    env: Env = {},
    isEnough: () => boolean = () => true,
  ): Promise<unknown> {
    const behave = stage.proxy.onConnect;
    stage.proxy.onConnect = misbehave;
    const router = await stage.route(
      { ...stage.proxied('me:s3cret@'), ...RESTLESS, ...env },
      { awaitReady: false },
    );
    await eventually(() => FEEDS.every((feed) => linesAbout(router, feed).length > 0) && isEnough());
    const failures = FEEDS.map((feed) => linesAbout(router, feed)[0]?.['reason']);
    stage.proxy.onConnect = behave;
    await eventually(async () => (await fetch(`${router.url}/readyz`)).ok);
    expect(await chosenBy(router)).toBe('first');
    expect(JSON.stringify(router.logs)).not.toMatch(SECRET);
    return failures;
  }

  test('CFG-44, CAT-6: a refusal of the proxy is named as such', async () => {
    const reason = 'the proxy answered 407';
    expect(await failuresWith(refuse)).toEqual([reason, reason]);
  });

  test('CFG-44, CAT-6: so is a proxy that dies', async () => {
    const reason = 'the proxy failed: ECONNRESET';
    expect(await failuresWith(({ reset }) => reset())).toEqual([reason, reason]);
  });

  test('CFG-44, CAT-7: a silent proxy has as long as any fetch, and loses its connection', async () => {
    const reason = 'no complete answer within 300 ms';
    const silent: RawConnection[] = [];
    const keepSilent: ConnectScript = ({ connection }) => void silent.push(connection);
    // On a busy machine a fetch may give up before it reaches the proxy, so there are as many as it takes.
    const areBothAsked = () => silent.length >= FEEDS.length;
    const env = { CONTROL_PLANE_TIMEOUT_MS: '300' };
    expect(await failuresWith(keepSilent, env, areBothAsked)).toEqual([reason, reason]);
    for (const connection of silent) await connection.closed;
  });

  test('CFG-44, CAT-5: a proxy that refuses from now on leaves what was fetched', async () => {
    const router = await stage.route({ ...stage.proxied(), ...RESTLESS });
    stage.proxy.onConnect = ({ reset }) => reset();
    for (const { connection } of stage.proxy.requests) connection.socket.destroy();
    for (const feed of FEEDS) await refreshed(router, feed, ['error'], 2);
    const { data } = (await (await fetch(`${router.url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(expect.arrayContaining(['first', 'second']));
  });
});

describe('a router that finds its proxy down at the start', () => {
  test('CFG-44: listens, and says why it is not ready', async () => {
    const proxy = `http://me:s3cret@127.0.0.1:${await closedPort()}`;
    const router = await startRouter('https://chutes.invalid', { HTTPS_PROXY: proxy }, { awaitReady: false });
    await eventually(() => FEEDS.every((feed) => linesAbout(router, feed).length > 0));
    expect(linesAbout(router, 'models')[0]).toMatchObject({ reason: 'the proxy failed: ECONNREFUSED' });
    expect((await fetch(`${router.url}/readyz`)).status).toBe(503);
    expect(JSON.stringify(router.logs)).not.toMatch(SECRET);
    await router.close();
  });
});
