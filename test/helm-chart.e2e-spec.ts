import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { type Config, loadConfig } from '../src/config/config.js';
import { Environment } from '../src/config/environment.js';
import {
  CHART,
  describeHelm,
  EVERYTHING,
  lint,
  notes,
  render,
  VALUE_SETS,
  type Values,
} from './support/helm.js';
import { type Manifest, only, specOf } from './support/manifests.js';

const read = (path: string) => readFileSync(path, 'utf8');
const SCHEMA = JSON.parse(read(`${CHART}/values.schema.json`)) as {
  properties: { config: { properties: Values } };
};

/** The configuration of a router of which the chart sets nothing but the addresses. */
const bare = () => loadConfig({ ADMIN_LISTEN_ADDR: '0.0.0.0:8081' });

/** The configuration of a router with this ConfigMap and Secret. */
function configOf(manifests: readonly Manifest[]): Config {
  const sources = manifests.flatMap(({ data, stringData }) => [data ?? {}, stringData ?? {}]);
  return loadConfig(Object.assign({}, ...sources) as Record<string, string>);
}

const kindsOf = (values: Values) => new Set(render(values).map(({ kind }) => kind));
const podsOf = (values: Values) => specOf('Deployment', render(values)).template.metadata;
const withConfig = (config: Values): Values => ({ config });

describeHelm('the chart', () => {
  test.each(VALUE_SETS)('OPS-13: passes lint %s', (_, values) => {
    expect(lint(values)).toContain('0 chart(s) failed');
  });

  test('OPS-13: makes of its defaults what a cluster needs, and what needs more only when asked', () => {
    const always = ['ConfigMap', 'Deployment', 'NetworkPolicy', 'Pod', 'PodDisruptionBudget', 'Service'];
    expect(kindsOf({})).toEqual(new Set([...always, 'ServiceAccount']));
    expect([...kindsOf(EVERYTHING).difference(kindsOf({}))].toSorted((a, b) => a.localeCompare(b))).toEqual([
      'HorizontalPodAutoscaler',
      'Ingress',
      'PrometheusRule',
      'Secret',
      'ServiceMonitor',
    ]);
  });

  test('OPS-13: is of the version of the router', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(parse(read(`${CHART}/Chart.yaml`))).toMatchObject({ appVersion: version });
    expect(JSON.stringify(only('Deployment', render()).spec)).toContain(`"chutes-autopilot:${version}"`);
  });

  test.each([
    ['an unknown value', { replicas: 3 }, /replicas/],
    ['an unknown setting', withConfig({ MAX_REQUESTS: 1 }), /MAX_REQUESTS/],
    ['a secret in the open', withConfig({ STICKY_HASH_SECRET: 'pepper' }), /STICKY_HASH_SECRET/],
    [
      'a proxy’s credentials in the open',
      withConfig({ HTTPS_PROXY: 'http://me:secret@proxy.example:3128' }),
      /HTTPS_PROXY/,
    ],
    ['half a digest', { image: { digest: 'sha256:abc' } }, /digest/],
  ])('OPS-13: refuses %s', (_, values: Values, complaint) => {
    expect(() => render(values)).toThrow(complaint);
  });
});

describeHelm('the settings of the chart', () => {
  test('OPS-17: are those of the router, but for the addresses and the secrets', () => {
    const elsewhere = new Set(['LISTEN_ADDR', 'ADMIN_LISTEN_ADDR', 'STICKY_HASH_SECRET', 'REDIS_URL']);
    const settings = new Set(Object.keys(new Environment()));
    expect(new Set(Object.keys(SCHEMA.properties.config.properties))).toEqual(settings.difference(elsewhere));
  });

  test('OPS-17: by default change nothing of the defaults of the router', () => {
    expect(configOf(render())).toEqual(bare());
  });

  test('OPS-17: reach the router as they are', () => {
    const config = configOf(render(EVERYTHING));
    expect(config.listen).toEqual({ host: '::', port: 8080 });
    expect(config.admin).toEqual({ host: '::', port: 8081 });
    expect(config.backends.openai.origin).toBe('http://llm.internal:8081');
    expect(config.requests.maxBytes).toBe(67_108_864);
    expect(config.trustedProxies).toEqual(['10.0.0.0/8']);
    expect(config.sticky.hashSecret).toBe('pep"per');
  });

  test.each([
    ['LOG_LEVEL', 'loud'],
    ['MODEL_VALIDATION', 'sometimes'],
    ['STICKY_STORE', 'disk'],
    ['MAX_REQUEST_BYTES', 0],
    ['FAILOVER_DEADLINE_MS', 'soon'],
    ['BACKEND_BASE_URL', 'ftp://llm.example'],
    ['UPSTREAM_RETRYABLE_STATUSES', '200'],
    ['UPSTREAM_RETRYABLE_STATUSES', '503, 429'],
    ['BACKEND_BASE_URL', 'https://me:secret@llm.example'],
    ['BACKEND_BASE_URL', 'https://llm.example/v1?key=secret'],
    ['BACKEND_BASE_URL', 'off'],
    ['RESPONSES_BASE_URL', 'none'],
    ['MESSAGES_BASE_URL', 'https://llm.example/v1?key=secret'],
    ['MODELS_URL', 'https://secret@llm.example/models'],
    ['HTTPS_PROXY', 'http://proxy.example:3128/path'],
    ['HTTPS_PROXY', 'socks5://proxy.example:1080'],
    ['FAILOVER_DEADLINE_MS', 2 ** 31],
    ['STICKY_TTL_SECS', -1],
    ['STICKY_SESSION_HEADER', 'x session'],
  ])('OPS-17: %s=%s is refused by the chart as by the router', (name, value) => {
    expect(() => loadConfig({ [name]: `${value}` })).toThrow(name);
    expect(() => render(withConfig({ [name]: value }))).toThrow(name);
  });

  test.each([[{}], [{ TRUSTED_PROXY_CIDRS: '' }], [{ TRUSTED_PROXY_CIDRS: ' , ' }]])(
    'OPS-17: TRUST_PROXY_HEADERS=true with %j is refused by the chart as by the router',
    (others: Readonly<Record<string, string>>) => {
      expect(() => loadConfig({ TRUST_PROXY_HEADERS: 'true', ...others })).toThrow('TRUSTED_PROXY_CIDRS');
      expect(() => render(withConfig({ TRUST_PROXY_HEADERS: true, ...others }))).toThrow('PROXY');
    },
  );

  test.each([
    ['UPSTREAM_RETRYABLE_STATUSES', '428, 430 ,499,500'],
    ['MODELS_URL', 'http://[::1]:8081/models?kind=llm&by=me@example'],
    ['BACKEND_BASE_URL', 'https://llm.example/a@b/v1/'],
    ['RESPONSES_BASE_URL', 'off'],
    ['MESSAGES_BASE_URL', 'https://llm.example/a@b/v1/'],
    ['UPSTREAM_PATIENT_TIMEOUT_MS', 2 ** 31 - 1],
    ['MAX_INFLIGHT_BODY_BYTES', 2 ** 33],
  ])('OPS-17: %s=%s is taken by the chart as by the router', (name, value) => {
    expect(() => loadConfig({ [name]: `${value}` })).not.toThrow();
    expect(only('ConfigMap', render(withConfig({ [name]: value }))).data?.[name]).toBe(`${value}`);
  });

  test('OPS-17: an empty value counts as not set, but for the two from which the chart computes', () => {
    const computed = new Set(['SHUTDOWN_DRAIN_MS', 'SHUTDOWN_GRACE_MS']);
    const names = Object.keys(SCHEMA.properties.config.properties).filter((name) => !computed.has(name));
    const empty = Object.fromEntries(names.map((name) => [name, '']));
    const rules = { prometheusRule: { enabled: true } };
    expect(configOf(render({ ...withConfig(empty), ...rules }))).toEqual(bare());
  });

  test.each([
    ['a setting', withConfig({ LOG_LEVEL: 'debug' })],
    ['a secret', { secret: { stickyHashSecret: 'pepper' } }],
  ])('OPS-17: %s that changes makes new pods', (_, values: Values) => {
    expect(podsOf(values)).not.toEqual(podsOf({}));
    expect(podsOf({})).toEqual(podsOf({}));
  });
});

describeHelm('secrets', () => {
  test('OPS-18: are in a Secret and nowhere else', () => {
    const { secret, others } = Object.groupBy(render(EVERYTHING), ({ kind }) =>
      kind === 'Secret' ? 'secret' : 'others',
    );
    expect(secret?.map(({ stringData }) => Object.keys(stringData ?? {}))).toEqual([
      ['STICKY_HASH_SECRET', 'REDIS_URL'],
    ]);
    expect(JSON.stringify(others)).not.toMatch(/hunter2|pep/);
  });

  test.each([
    ['the chart’s own', EVERYTHING, 'prod-chutes-autopilot'],
    ['one that exists', { secret: { existingSecret: 'mine' } }, 'mine'],
  ])('OPS-18: the router gets %s', (_, values: Values, name) => {
    const manifests = render(values);
    const made = manifests.filter(({ kind }) => kind === 'Secret').map((one) => one.metadata.name);
    expect(JSON.stringify(only('Deployment', manifests).spec)).toContain(`{"secretRef":{"name":"${name}"}}`);
    expect(made).toEqual(name === 'mine' ? [] : [name]);
  });

  test.each([
    ['neither', {}],
    ['the key alone', { stickyHashSecret: 'pepper' }],
    ['the URL alone', { redisUrl: 'redis://redis.internal' }],
  ])('OPS-18: Redis with %s of its two secrets is refused', (_, secret) => {
    expect(() => render({ ...withConfig({ STICKY_STORE: 'redis' }), secret })).toThrow('existingSecret');
  });
});

describeHelm('the notes', () => {
  const PER_POD = 'Each pod keeps its own pins';

  test.each([
    ['two pods', {}, true],
    ['one pod', { replicaCount: 1 }, false],
    ['one pod that may become more', { replicaCount: 1, autoscaling: { enabled: true } }, true],
    ['Redis', EVERYTHING, false],
  ])('OPS-23: with %s tell whether pins are shared', (_, values: Values, isTold) => {
    expect(notes(values).includes(PER_POD)).toBe(isTold);
  });
});
