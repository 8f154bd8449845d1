import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Manifest } from './manifests.js';
import { describeWith } from './tools.js';

export const CHART = 'deploy/helm/chutes-autopilot';

export type Values = Readonly<Record<string, unknown>>;

// Where `.ci/helm` puts it.
const INSTALLED = join(homedir(), '.cache/chutes-autopilot/bin/helm');
const HELM = existsSync(INSTALLED) ? INSTALLED : 'helm';

export const describeHelm = describeWith(HELM, ['version'], 'with Go, .ci/helm installs it');

/** Values that turn everything on. */
export const EVERYTHING: Values = {
  image: { repository: 'registry.example/autopilot', digest: `sha256:${'a'.repeat(64)}` },
  imagePullSecrets: [{ name: 'pull' }],
  config: {
    BACKEND_BASE_URL: 'http://llm.internal:8081/v1',
    HTTPS_PROXY: 'http://proxy.internal:3128',
    MAX_REQUEST_BYTES: 67_108_864,
    SHUTDOWN_DRAIN_MS: 12_345,
    SHUTDOWN_GRACE_MS: 60_000,
    STICKY_STORE: 'redis',
    TRUST_PROXY_HEADERS: true,
    TRUSTED_PROXY_CIDRS: '10.0.0.0/8',
  },
  listenHost: '[::]',
  secret: { stickyHashSecret: 'pep"per', redisUrl: 'rediss://me:hunter2@redis.internal:6390/0' },
  extraCaCerts: { configMap: 'company-ca' },
  preStopSleepSeconds: 7,
  ingress: {
    enabled: true,
    className: 'internal',
    annotations: { 'example.com/buffering': 'off' },
    hosts: ['a.example', 'b.example'],
    tls: [{ hosts: ['a.example', 'b.example'], secretName: 'tls' }],
  },
  autoscaling: { enabled: true },
  networkPolicy: { ingressFrom: [{ namespaceSelector: {} }], extraEgressPorts: [9_999] },
  serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
  prometheusRule: { enabled: true, labels: { release: 'prometheus' } },
  podLabels: { team: 'ml' },
  podAnnotations: { note: 'yes' },
  priorityClassName: 'high',
  nodeSelector: { disk: 'ssd' },
  tolerations: [{ key: 'gpu', operator: 'Exists' }],
  affinity: { nodeAffinity: {} },
};

export const VALUE_SETS: [name: string, values: Values][] = [
  ['by default', {}],
  ['with everything on', EVERYTHING],
];

/** Throws what helm has to complain about. */
export function lint(values: Values): string {
  return helm(['lint', CHART, '--strict'], values);
}

/** The objects of a release named `prod` in the namespace `models`. Throws what helm says if it refuses the values. */
export function render(values: Values = {}): Manifest[] {
  const flags = ['--namespace', 'models'];
  return parseAllDocuments(helm(['template', 'prod', CHART, ...flags], values)).map((document) => {
    if (document.errors.length > 0) throw new Error(`This is not YAML: ${document.errors.join()}`);
    return document.toJS() as Manifest;
  });
}

/**
 * The objects of a release whose values no schema has checked, as with `--skip-schema-validation`, read as Kubernetes
 * reads them: by YAML 1.1. Throws what helm says if a template fails.
 */
export function renderUnchecked(values: Values, release = 'prod'): unknown[] {
  return withCopy((folder) => {
    rmSync(join(folder, 'values.schema.json'));
    const documents = parseAllDocuments(helm(['template', release, folder], values), { version: '1.1' });
    return documents.map((document) => {
      if (document.errors.length > 0) throw new Error(`This is not YAML: ${document.errors.join()}`);
      return document.toJS() as unknown;
    });
  });
}

/** What an installation tells at its end. To show it, Helm 3 would want a cluster; so it is rendered as an object. */
export function notes(values: Values): string {
  return withCopy((folder) => {
    const lines = readFileSync(join(CHART, 'templates/NOTES.txt'), 'utf8').split('\n');
    const object = ['kind: Notes', 'text: |', ...lines.map((line) => `  ${line}`)];
    writeFileSync(join(folder, 'templates/notes.yaml'), object.join('\n'));
    return helm(['template', 'prod', folder, '--show-only', 'templates/notes.yaml'], values);
  });
}

/** Does something with a copy of the chart that it may change. */
function withCopy<Result>(use: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), 'chart-'));
  try {
    cpSync(CHART, folder, { recursive: true, dereference: true });
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function helm(args: readonly string[], values: Values): string {
  // To the YAML that Helm reads it as, some of what JSON may hold as it is are ends of lines.
  const input = JSON.stringify(values).replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  // A Helm that was built from source takes the cluster for an old one.
  const flags = ['--kube-version', '1.34.0', '--values', '-'];
  return execFileSync(HELM, [...args, ...flags], { input, encoding: 'utf8', stdio: 'pipe' });
}
