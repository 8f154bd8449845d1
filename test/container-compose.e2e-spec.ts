import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { loadConfig } from '../src/config/config.js';
import { Environment } from '../src/config/environment.js';

interface Service {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly stop_grace_period?: string;
  readonly [setting: string]: unknown;
}

const TEXT = readFileSync('docker-compose.yaml', 'utf8');
const { services } = parse(TEXT, { merge: true }) as { services: Readonly<Record<string, Service>> };
const SERVICES = Object.entries(services);
const EVERY = SERVICES.map(([name]) => name);

const serviceOf = (name: string): Service => services[name] ?? { image: '' };

const read = (path: string) => parse(readFileSync(`deploy/observability/${path}`, 'utf8')) as unknown;

describe('the services', () => {
  test('OPS-8: without a profile there is the router alone', () => {
    const byProfile = Object.groupBy(SERVICES, ([, { profiles = [] }]) => profiles.join());
    const names = Object.entries(byProfile).map(([profile, list]) => [profile, list?.map(([name]) => name)]);
    expect(Object.fromEntries(names)).toEqual({
      '': ['router'],
      tls: ['caddy'],
      redis: ['redis'],
      observability: ['prometheus', 'grafana'],
    });
  });

  test.each(EVERY)('OPS-9: %s has no right that it does not need, and bounds', (name) => {
    expect(serviceOf(name)).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      mem_limit: expect.stringMatching(/^\d+[mg]$/),
      pids_limit: expect.any(Number),
      image: expect.stringMatching(/^\S+:(?!latest$)\S+$/),
    });
    expect(serviceOf(name)['privileged']).toBeUndefined();
  });

  test('OPS-9: only Caddy, who binds low ports, is root and may do one thing', () => {
    const roots = SERVICES.filter(([, { user = 'root' }]) => !/^[1-9]\d*:\d+$/.test(user));
    expect(roots.map(([name]) => name)).toEqual(['caddy']);
    const capable = SERVICES.flatMap(([name, { cap_add: added = [] }]) => added.map((one) => [name, one]));
    expect(capable).toEqual([['caddy', 'NET_BIND_SERVICE']]);
  });

  test('OPS-9: only Caddy is published beyond this machine', () => {
    const open = SERVICES.filter(([, { ports = [] }]) =>
      ports.some((port) => !/^(?:127\.0\.0\.1:|\$\{\w+:-127\.0\.0\.1:)/.test(port)),
    );
    expect(open.map(([name]) => name)).toEqual(['caddy']);
  });

  test('OPS-8: Caddy waits for the router to run, not for its feeds', () => {
    expect(serviceOf('caddy')['depends_on']).toEqual({ router: { condition: 'service_started' } });
  });

  test('OPS-9: Redis is on a network without a way out, with the router alone', () => {
    const { networks } = parse(TEXT) as { networks: Record<string, { internal?: boolean }> };
    const [network = '', ...others] = serviceOf('redis').networks ?? [];
    expect(others).toEqual([]);
    expect(networks[network]).toEqual({ internal: true });
    const members = SERVICES.filter(([, service]) => service.networks?.includes(network));
    expect(members.map(([name]) => name)).toEqual(['router', 'redis']);
    expect(serviceOf('redis').ports).toBeUndefined();
  });

  test('OPS-9: the memory of the router has room for all the bodies that it may hold', () => {
    const [, gibibytes] = /^(\d+)g$/.exec(String(serviceOf('router')['mem_limit'])) ?? [];
    const spare = Number(gibibytes) * 2 ** 30 - loadConfig({}).requests.maxInflightBytes;
    expect(spare).toBeGreaterThanOrEqual(2 ** 28);
  });
});

describe('the router', () => {
  test('OPS-4: has the user of its image', () => {
    expect(readFileSync('Dockerfile', 'utf8')).toContain(`\nUSER ${serviceOf('router').user}\n`);
  });

  test.each(['router', 'caddy'])('OPS-10: %s may end as slowly as the router does', (name) => {
    const { drainMs, graceMs } = loadConfig({}).shutdown;
    const [, seconds] = /^\$\{\w+:-(\d+)s\}$/.exec(serviceOf(name).stop_grace_period ?? '') ?? [];
    expect(Number(seconds) * 1_000).toBeGreaterThanOrEqual(drainMs + graceMs + 2_000);
  });

  test('OPS-11: what the file sets for it is a setting with a value that it takes', () => {
    const { environment = {} } = serviceOf('router');
    expect(Object.keys(environment).filter((name) => !(name in new Environment()))).toEqual([]);
    const { listen, admin } = loadConfig(environment);
    expect([listen.host, admin?.host]).toEqual(['0.0.0.0', '0.0.0.0']);
    const published = serviceOf('router').ports?.map((mapping) => Number(mapping.split(':').at(-1)));
    expect(published).toEqual([listen.port, admin?.port]);
  });
});

describe('files and secrets', () => {
  test('OPS-11: every file that is mounted exists, and is read only', () => {
    const mounts = SERVICES.flatMap(([, { volumes = [] }]) => volumes).filter((one) => one.startsWith('./'));
    expect(mounts.length).toBeGreaterThan(4);
    expect(mounts.filter((one) => !existsSync(one.split(':')[0] ?? ''))).toEqual([]);
    expect(mounts.filter((one) => !one.endsWith(':ro'))).toEqual([]);
  });

  test('OPS-11: what the mounted files name is where they say', () => {
    const targets = ['prometheus', 'grafana'].flatMap((name) =>
      (serviceOf(name).volumes ?? []).map((volume) => volume.split(':')[1]),
    );
    const dashboards = read('grafana/provisioning/dashboards/chutes-autopilot.yml');
    const prometheus = read('prometheus.yml');
    expect(targets).toContain(
      (dashboards as { providers: [{ options: { path: string } }] }).providers[0].options.path,
    );
    const { rule_files: rules } = prometheus as { rule_files: string[] };
    expect(rules.filter((path) => !targets.includes(`/etc/prometheus/${path}`))).toEqual([]);
    expect(JSON.stringify(prometheus)).toContain('"router:8081"');
    expect(JSON.stringify(read('grafana/provisioning/datasources/prometheus.yml'))).toContain(
      'prometheus:9090',
    );
  });

  test('OPS-11: no service has a secret or a default for one', () => {
    const settings = SERVICES.flatMap(([, { environment = {} }]) => Object.keys(environment));
    expect(settings.filter((name) => /PASSWORD|SECRET_|TOKEN|_KEY|REDIS_URL|HASH/.test(name))).toEqual([]);
    expect(TEXT).not.toMatch(/requirepass|:\/\/[^/\s]*:[^/\s]*@/);
  });
});
