import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { loadConfig } from '../src/config/config.js';
import { ServedPaths } from '../src/openai/served-paths.js';
import { readDockerfile } from './support/dockerfile.js';
import { CHART, describeHelm, EVERYTHING, render, VALUE_SETS } from './support/helm.js';
import { type Manifest, only, specOf } from './support/manifests.js';

const ROUTER = 'prod-chutes-autopilot';
const ADMIN = `${ROUTER}-admin`;
const TEST = `${ROUTER}-test`;

function podOf(manifests: readonly Manifest[]) {
  const { metadata, spec: pod } = specOf('Deployment', manifests).template;
  return { labels: metadata.labels, pod, container: pod.containers[0] };
}

describeHelm('a pod', () => {
  test.each(VALUE_SETS)('OPS-14: is what the restricted security standard allows, %s', (_, values) => {
    const manifests = render(values);
    const pods = [podOf(manifests).pod, specOf('Pod', manifests)];
    for (const { automountServiceAccountToken, securityContext, containers } of pods) {
      expect(automountServiceAccountToken).toBe(false);
      expect(securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(containers.length).toBeGreaterThan(0);
      for (const container of containers) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      }
    }
  });

  test('OPS-14: has the user of the image', () => {
    const user = readDockerfile()
      .at(-1)
      ?.instructions.find(({ name }) => name === 'USER');
    const { runAsUser, runAsGroup } = podOf(render()).pod.securityContext;
    expect(`${runAsUser}:${runAsGroup}`).toBe(user?.text);
  });

  test.each(VALUE_SETS)('OPS-15: is asked by its probes for what the router serves, %s', (_, values) => {
    const manifests = render(values);
    const { startupProbe, livenessProbe, readinessProbe, ports } = podOf(manifests).container;
    const asked = [startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => httpGet);
    expect(asked.map(({ path }) => path)).toEqual(['/healthz', '/healthz', '/readyz']);
    expect(asked.filter(({ path }) => !new ServedPaths().methodsAt(path)?.includes('GET'))).toEqual([]);
    expect(new Set(asked.map(({ port }) => port))).toEqual(new Set(['admin']));
    expect(ports.map(({ name }) => name)).toContain('admin');
  });

  test.each(VALUE_SETS)('OPS-15: has the two ports that the router listens at, %s', (_, values) => {
    const manifests = render(values);
    const { data = {} } = only('ConfigMap', manifests);
    const { listen, admin } = loadConfig({
      LISTEN_ADDR: data['LISTEN_ADDR'],
      ADMIN_LISTEN_ADDR: data['ADMIN_LISTEN_ADDR'],
    });
    expect(admin?.host).toBe(listen.host);
    const { ports } = podOf(manifests).container;
    expect(ports.map(({ name, containerPort }) => [name, containerPort])).toEqual([
      ['http', listen.port],
      ['admin', admin?.port],
    ]);
  });

  test.each([
    ['by default', {}, 0, 45],
    ['with everything on', EVERYTHING, 7, 7 + 73 + 10],
    ['without drain', { config: { SHUTDOWN_DRAIN_MS: 0, SHUTDOWN_GRACE_MS: 999 } }, 0, 11],
  ])('OPS-16: gets the time to pause, drain and let answers finish, %s', (_, values, pause, seconds) => {
    const { pod, container } = podOf(render(values));
    expect(container.lifecycle?.preStop.sleep.seconds ?? 0).toBe(pause);
    expect(pod.terminationGracePeriodSeconds).toBe(seconds);
  });

  test('OPS-15: is given two minutes before a restart cuts its answers', () => {
    const { periodSeconds, failureThreshold } = podOf(render()).container.livenessProbe;
    expect(periodSeconds * failureThreshold).toBeGreaterThanOrEqual(120);
  });

  test('OPS-19: is not replaced for a new version of the chart alone', () => {
    const { labels } = podOf(render());
    expect(labels).not.toHaveProperty(['helm.sh/chart']);
    expect(only('Deployment', render()).metadata.labels).toHaveProperty(['helm.sh/chart']);
  });

  test('OPS-13: has labels of the length that Kubernetes takes, however long the tag is', () => {
    const tag = `${'a'.repeat(62)}.${'b'.repeat(60)}`;
    const { labels } = podOf(render({ image: { tag } }));
    expect(labels['app.kubernetes.io/version']).toBe('a'.repeat(62));
  });

  test('OPS-17: gets the further environment that is asked for', () => {
    const extraEnv = [{ name: 'NODE_OPTIONS', value: '--max-old-space-size=512' }];
    expect(podOf(render({ extraEnv })).container.env).toEqual(extraEnv);
    expect(podOf(render()).container.env).toBeUndefined();
  });

  test('OPS-9: has memory for all the bodies that the router may hold', () => {
    const { memory } = podOf(render()).container.resources.limits;
    expect(memory).toMatch(/^\dGi$/);
    const spare = Number.parseInt(memory, 10) * 2 ** 30 - loadConfig({}).requests.maxInflightBytes;
    expect(spare).toBeGreaterThanOrEqual(2 ** 28);
  });
});

describeHelm('what stands around the pods', () => {
  test('OPS-19: finds them by labels that they have', () => {
    const manifests = render(EVERYTHING);
    const { labels, pod } = podOf(manifests);
    const { matchLabels } = specOf('Deployment', manifests).selector;
    expect(labels).toMatchObject(matchLabels);
    expect([
      specOf('Service', manifests, ROUTER).selector,
      specOf('Service', manifests, ADMIN).selector,
      specOf('PodDisruptionBudget', manifests).selector.matchLabels,
      specOf('NetworkPolicy', manifests, ROUTER).podSelector.matchLabels,
      pod.topologySpreadConstraints[0].labelSelector.matchLabels,
    ]).toEqual(Array.from({ length: 5 }, () => matchLabels));
  });

  test('OPS-19: the ServiceMonitor finds the Service of the admin port, and no other', () => {
    const manifests = render(EVERYTHING);
    const { selector } = specOf('ServiceMonitor', manifests);
    const labels = [ROUTER, ADMIN].map((name) => only('Service', manifests, name).metadata.labels);
    expect(labels[0]).not.toMatchObject(selector.matchLabels);
    expect(labels[1]).toMatchObject(selector.matchLabels);
  });

  test('OPS-19: does not find the pod of the test', () => {
    const { matchLabels } = specOf('Deployment', render()).selector;
    expect(only('Pod', render()).metadata.labels).not.toMatchObject(matchLabels);
  });

  test('OPS-19: names objects that exist', () => {
    const manifests = render(EVERYTHING);
    const deployment = only('Deployment', manifests);
    expect(podOf(manifests).pod.serviceAccountName).toBe(only('ServiceAccount', manifests).metadata.name);
    expect(podOf(manifests).container.envFrom).toContainEqual({
      configMapRef: { name: only('ConfigMap', manifests).metadata.name },
    });
    expect(specOf('HorizontalPodAutoscaler', manifests)).toMatchObject({
      scaleTargetRef: { kind: 'Deployment', name: deployment.metadata.name },
    });
  });

  test('OPS-19: the test of a release runs where routers may, and within bounds', () => {
    const pod = specOf('Pod', render(EVERYTHING));
    const { nodeSelector, tolerations } = EVERYTHING;
    expect(pod).toMatchObject({ nodeSelector, tolerations });
    for (const { resources } of pod.containers) {
      const { requests, limits } = resources;
      expect([requests.cpu, requests.memory, limits.memory].filter(Boolean)).toHaveLength(3);
    }
  });

  test('OPS-19: leaves the number of pods to the autoscaler where there is one', () => {
    expect(specOf('Deployment', render()).replicas).toBe(2);
    expect(specOf('Deployment', render(EVERYTHING)).replicas).toBeUndefined();
  });

  test('OPS-19: the test of a release asks both Services, whether the router is ready and whether it serves', () => {
    const manifests = render();
    const { containers } = specOf('Pod', manifests);
    const asked = [
      [ADMIN, '/readyz'],
      [ROUTER, '/v1/models'],
    ].map(([service = '', path = '']) => {
      expect(new ServedPaths().methodsAt(path)).toContain('GET');
      return `http://${service}:${specOf('Service', manifests, service).ports[0].port}${path}`;
    });
    expect(containers.map(({ command }) => command)).toEqual(
      asked.map((url) => ['node', '/app/healthcheck.mjs', url]),
    );
  });

  test('OPS-20: the ingress leads to the client routes and nowhere else', () => {
    const manifests = render(EVERYTHING);
    const backend = {
      service: { name: only('Service', manifests, ROUTER).metadata.name, port: { name: 'http' } },
    };
    const paths = ['/v1', '/chutes'].map((path) => ({ path, pathType: 'Prefix', backend }));
    expect(specOf('Ingress', manifests)).toMatchObject({
      ingressClassName: 'internal',
      rules: ['a.example', 'b.example'].map((host) => ({ host, http: { paths } })),
    });
  });

  test.each([
    ['by default', {}, [443]],
    ['with everything on', EVERYTHING, [8081, 443, 3128, 6390, 9999]],
    [
      'with proxies whose scheme is not told',
      { config: { HTTPS_PROXY: 'proxy.example:3129', HTTP_PROXY: 'proxy' } },
      [443, 3129, 80],
    ],
    [
      'with statistics of another port',
      { config: { STATS_URL: 'http://stats.example:9200/llm' } },
      [443, 9200],
    ],
    ['without statistics', { config: { STATS_URL: 'off' } }, [443]],
    [
      'with a collector of traces',
      { config: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.observability:4318' } },
      [443, 4318],
    ],
    [
      'with Redis of a Secret that exists',
      { config: { STICKY_STORE: 'redis' }, secret: { existingSecret: 'mine' } },
      [443, 6379],
    ],
  ])('OPS-21: the network lets in at the ports, and out to where the settings lead, %s', (_, values, out) => {
    const manifests = render(values);
    const { policyTypes, ingress, egress } = specOf('NetworkPolicy', manifests, ROUTER);
    expect(policyTypes).toEqual(['Ingress', 'Egress']);
    const listening = podOf(manifests).container.ports.map(({ containerPort }) => containerPort);
    expect(ingress.flatMap(({ ports }) => ports.map(({ port }) => port))).toEqual(listening);
    const [dns, upstreams, ...others] = egress.map(({ ports }) => ports);
    expect(dns?.map(({ port, protocol }) => `${port}/${protocol}`)).toEqual(['53/UDP', '53/TCP']);
    expect(upstreams?.map(({ port }) => port)).toEqual(out);
    expect(others).toEqual([]);
  });

  test('OPS-21: DNS is where the cluster has it', () => {
    const manifests = render({ networkPolicy: { dnsPorts: [5353] } });
    for (const name of [ROUTER, TEST]) {
      const [dns] = specOf('NetworkPolicy', manifests, name).egress;
      expect(dns?.ports).toEqual(['UDP', 'TCP'].map((protocol) => ({ port: 5353, protocol })));
    }
  });

  test('OPS-21: the test of a release may ask the routers, wherever nothing else may', () => {
    const manifests = render(EVERYTHING);
    const { labels } = only('Pod', manifests).metadata;
    const { podSelector, ingress, egress } = specOf('NetworkPolicy', manifests, TEST);
    expect(labels).toMatchObject(podSelector.matchLabels);
    expect(podOf(manifests).labels).not.toMatchObject(podSelector.matchLabels);
    const routers = { podSelector: specOf('NetworkPolicy', manifests, ROUTER).podSelector };
    expect(ingress).toEqual([]);
    const ports = [8080, 8081].map((port) => ({ port, protocol: 'TCP' }));
    expect(egress.slice(1)).toEqual([{ ports, to: [routers] }]);
    for (const { from } of specOf('NetworkPolicy', manifests, ROUTER).ingress) {
      expect(from).toContainEqual({ podSelector });
    }
  });
});

describeHelm('the chart as a folder', () => {
  test('OPS-13: templates every value that it has', () => {
    const values = Object.keys(parse(readFileSync(`${CHART}/values.yaml`, 'utf8')) as object);
    const schema = JSON.parse(readFileSync(`${CHART}/values.schema.json`, 'utf8')) as { properties: object };
    expect(new Set(Object.keys(schema.properties))).toEqual(new Set([...values, 'global']));
  });
});
