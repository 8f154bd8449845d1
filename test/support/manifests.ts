// Kubernetes objects, as far as tests look into them.

export type Labels = Readonly<Record<string, string>>;

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Labels };
  readonly spec: unknown;
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

interface Selector {
  readonly matchLabels: Labels;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}

interface Container {
  readonly securityContext: object;
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly envFrom: unknown;
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly env?: readonly unknown[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly resources: {
    readonly requests: { readonly cpu: string; readonly memory: string };
    readonly limits: { readonly memory: string };
  };
  readonly command?: readonly string[];
}

export interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number };
  readonly serviceAccountName: string;
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly [Container, ...Container[]];
  readonly topologySpreadConstraints: readonly [{ readonly labelSelector: Selector }];
}

interface NetworkRule {
  readonly ports: readonly { readonly port: number; readonly protocol: string }[];
  readonly from?: readonly unknown[];
  readonly to?: readonly unknown[];
}

interface Specs {
  Deployment: {
    readonly replicas?: number;
    readonly selector: Selector;
    readonly template: {
      readonly metadata: { readonly labels: Labels; readonly annotations: Labels };
      readonly spec: PodSpec;
    };
  };
  HorizontalPodAutoscaler: {
    readonly minReplicas: number;
    readonly maxReplicas: number;
    readonly metrics: readonly unknown[];
    readonly behavior?: unknown;
  };
  Ingress: object;
  NetworkPolicy: {
    readonly podSelector: Selector;
    readonly policyTypes: readonly string[];
    readonly ingress: readonly NetworkRule[];
    readonly egress: readonly NetworkRule[];
  };
  Pod: PodSpec;
  PodDisruptionBudget: { readonly selector: Selector };
  PrometheusRule: object;
  Service: {
    readonly type: string;
    readonly selector: Labels;
    readonly ports: readonly [{ readonly name: string; readonly port: number; readonly targetPort: string }];
  };
  ServiceMonitor: {
    readonly selector: Selector;
    readonly endpoints: readonly [
      { readonly relabelings: readonly [{ readonly targetLabel: string; readonly replacement: string }] },
    ];
  };
}

/** The one object of this kind; where there are several, the one of this name. */
export function only(kind: string, manifests: readonly Manifest[], name?: string): Manifest {
  const [first, ...others] = manifests.filter(
    (one) => one.kind === kind && (name === undefined || one.metadata.name === name),
  );
  if (!first || others.length > 0) throw new Error(`There is not exactly one ${kind}.`);
  return first;
}

/** What the one object of this kind, or of this kind and name, says. */
export function specOf<Kind extends keyof Specs>(
  kind: Kind,
  manifests: readonly Manifest[],
  name?: string,
): Specs[Kind] {
  return only(kind, manifests, name).spec as Specs[Kind];
}
