import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { CHART, describeHelm, EVERYTHING, render, renderUnchecked, type Values } from './support/helm.js';
import { type Manifest, specOf } from './support/manifests.js';
import { leavesOf, mapped, merged, type Tree } from './support/tree.js';

const BENIGN = 'benign';
const USERS_KEYS = /(?:labels|annotations|nodeSelector)$/i;
const SUM = /^[0-9a-f]{64}$/;

// What a template fails on when it looks for the port in it.
const IS_URL = /^(?:\w+_URL|\w+_PROXY|\w+_ENDPOINT|redisUrl)$/;

// What may hold any text: Kubernetes and the router take it as it is.
const FREE = [
  /^config\/(?:NO_PROXY|AUTOPILOT_ALIASES|TRUSTED_PROXY_CIDRS|CORS_ALLOWED_ORIGINS)$/,
  /^secret\/stickyHashSecret$/,
  /^(?:podAnnotations|(?:service|serviceAccount|ingress)\/annotations)\//,
  /^extraEnv\/\d+\/value/,
  // Kubernetes' own, each under one key.
  /^(?:global|resources|podSecurityContext|securityContext|tolerations|affinity|autoscaling\/behavior)\//,
  /^networkPolicy\/(?:ingressFrom|adminFrom|egressTo)\//,
];

const schema = JSON.parse(readFileSync(`${CHART}/values.schema.json`, 'utf8')) as {
  properties: { config: { properties: Record<string, unknown> } };
};

/** Every value that the chart knows, each list and map with something in it. */
const FULL = merged(merged(parse(readFileSync(`${CHART}/values.yaml`, 'utf8')) as Tree, EVERYTHING as Tree), {
  config: Object.fromEntries(
    Object.entries(schema.properties.config.properties).map(([name, rule]) => [
      name,
      /wholeNumber|integer/.test(JSON.stringify(rule)) ? 1 : 'text',
    ]),
  ),
  secret: { existingSecret: 'mine' },
  nameOverride: 'name',
  fullnameOverride: 'full-name',
  extraEnv: [{ name: 'A', value: 'b', valueFrom: { secretKeyRef: { name: 'c', key: 'd' } } }],
  serviceAccount: { name: 'account', annotations: { a: 'b' } },
  service: { annotations: { a: 'b' } },
  autoscaling: { targetEventLoopLagMs: 80 },
  networkPolicy: { egressTo: [{ ipBlock: { cidr: '10.0.0.0/8' } }] },
});

/** What the first hides: names and objects that are made only without others. */
const OTHERWISE = merged(FULL, {
  secret: { existingSecret: '' },
  fullnameOverride: '',
  autoscaling: { enabled: false },
});

const TEXTS: [what: string, text: string][] = [
  ['a key of its own', 'x\n      smuggled: true'],
  ['a key of another line', 'x\r  smuggled: true\u0085smuggled: 1\u2028smuggled: 2'],
  ['a document of its own', 'x\n---\nkind: Smuggled\n'],
  ['the end of a flow', 'x }], smuggled: [{ a: b'],
  ['the end of quotes', 'x", smuggled: "y'],
  ['the end of single quotes', "x', smuggled: 'y"],
  ['a template', '{{ fail "smuggled" }}'],
  ['a comment', 'x # smuggled'],
  ['a mapping', '{ smuggled: true }'],
  ['an alias', '*smuggled'],
  ['a tag', '!!binary smuggled'],
  ['a block', '|\n  smuggled'],
];

const OF_OTHER_TYPES = ['12345', '0x1F', '1e3', '12:30:45', 'true', 'yes', 'null', '~', '2026-01-02'];

type Meant = (leaf: Tree) => boolean;

const anything: Meant = () => true;
const isString: Meant = (leaf) => typeof leaf === 'string';

describeHelm('a value of the chart', () => {
  test.each(TEXTS)('OPS-32: that looks like %s stays a value, whatever checks it', (_, text) => {
    for (const values of [FULL, OTHERWISE]) expect(rendered(values, text)).toEqual(expected(values, text));
  });

  test.each(OF_OTHER_TYPES)('OPS-32: that looks like something else than a string stays one: %s', (text) => {
    for (const values of [FULL, OTHERWISE]) {
      expect(rendered(values, text, isString)).toEqual(expected(values, text, isString));
    }
  });

  test('OPS-32: of several lines is refused wherever it is no free text, and each of them is named', () => {
    const paths = leavesOf(FULL)
      .map((path) => path.join('/'))
      .filter((path) => !FREE.some((free) => free.test(path)));
    expect(paths.length).toBeGreaterThan(60);
    const refused = refusedPaths(mapped(FULL, () => 'x\n      hostNetwork: true') as Values);
    expect(paths.filter((path) => !refused.has(path))).toEqual([]);
  });

  test.each([
    ['a label', { podLabels: { 'a\n  hostNetwork': 'true' } }],
    ['an annotation', { service: { annotations: { 'a: b\n  c': 'd' } } }],
    ['a probe', { probes: { liveness: { httpGet: 1 } } }],
    ['a setting', { config: { 'LOG_LEVEL: info\n  X': 'y' } }],
  ])('OPS-32: has a key that is refused if it is no name of %s', (_, values: Values) => {
    expect(() => render(values)).toThrow(/propertyNames|invalid propertyName|additional properties/);
  });

  test.each(['1', 'true', '1e3'])(
    'OPS-32: a release may be called %s, and its labels are strings',
    (name) => {
      const labels = JSON.stringify(renderUnchecked({}, name)).match(/"app.kubernetes.io\/instance":[^,}]*/g);
      expect(new Set(labels)).toEqual(new Set([`"app.kubernetes.io/instance":"${name}"`]));
    },
  );

  test('OPS-32: changes none of the chart’s own labels, annotations and probes', () => {
    const values = {
      podLabels: { 'app.kubernetes.io/name': 'another', team: 'ml' },
      podAnnotations: { 'checksum/config': 'none', note: 'yes' },
      probes: { liveness: { httpGet: { path: '/elsewhere' }, periodSeconds: 10 } },
    };
    const { metadata, spec } = specOf('Deployment', renderUnchecked(values) as Manifest[]).template;
    expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/name': 'chutes-autopilot', team: 'ml' });
    expect(metadata.annotations).toMatchObject({
      'checksum/config': expect.stringMatching(SUM),
      note: 'yes',
    });
    const { livenessProbe } = spec.containers[0];
    expect(livenessProbe).toMatchObject({ httpGet: { path: '/healthz' }, periodSeconds: 10 });
  });
});

function rendered(values: Tree, text: string, isMeant = anything): Tree {
  const manifests = renderUnchecked(poisoned(values, text, isMeant) as Values);
  return mapped(
    manifests as Tree,
    (leaf) => (typeof leaf === 'string' ? inOneLine(leaf).replace(SUM, 'sum') : leaf),
    inOneLine,
  );
}

/** Helm makes spaces of some ends of lines within a value. */
function inOneLine(text: string): string {
  return text.replaceAll(/[\s\u0085]+/g, ' ');
}

/** What comes of a harmless value, with the text wherever that has gone. */
function expected(values: Tree, text: string, isMeant = anything): Tree {
  const put = (place: string, what: string) => inOneLine(place.replaceAll(BENIGN, () => what));
  return mapped(
    rendered(values, BENIGN, isMeant),
    (leaf) => (typeof leaf === 'string' ? put(leaf, text) : leaf),
    (key) => put(key, asKey(text)),
  );
}

/** Helm writes nothing of a map that has one of these in a key. */
function asKey(text: string): string {
  return text.replaceAll(/[\r\u0085\u2028]/g, '');
}

/** The values with the text for each leaf that is meant, and for each key that is the user's. */
function poisoned(values: Tree, text: string, isMeant: Meant): Tree {
  return mapped(
    values,
    (leaf, path) => (isMeant(leaf) && !IS_URL.test(String(path.at(-1))) ? text : leaf),
    (key, path) => (USERS_KEYS.test(String(path.at(-1))) ? asKey(text) : key),
  );
}

/** Where the schema finds something wrong. */
function refusedPaths(values: Values): Set<string> {
  try {
    render(values);
  } catch (error) {
    const found = (error as Error).message.matchAll(/at '\/([^']*)'/g);
    return new Set([...found].map(([, path = '']) => path));
  }
  return new Set();
}
