import { expect, test } from '@jest/globals';
import { describeHelm, render, type Values } from './support/helm.js';
import { specOf } from './support/manifests.js';

const ROUTER = 'prod-chutes-autopilot';
const ADMIN = `${ROUTER}-admin`;
const TEST = `${ROUTER}-test`;

const namespaced = (name: string) => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
});

const metricsWith = (autoscaling: Values) =>
  specOf('HorizontalPodAutoscaler', render({ autoscaling: { enabled: true, ...autoscaling } })).metrics;
const cpu = (averageUtilization: number) => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});

describeHelm('the admin port', () => {
  test.each(['ClusterIP', 'NodePort', 'LoadBalancer'])(
    'OPS-30: a Service of the type %s leads to the client routes, and one inside the cluster to the rest',
    (type) => {
      const manifests = render({ service: { type } });
      const leads = [ROUTER, ADMIN].map((name) => {
        const service = specOf('Service', manifests, name);
        return [service.type, service.ports.map(({ name: port, targetPort }) => [port, targetPort])];
      });
      expect(leads).toEqual([
        [type, [['http', 'http']]],
        ['ClusterIP', [['admin', 'admin']]],
      ]);
    },
  );

  test.each([
    ['by default', {}, 'monitoring'],
    ['where asked for', { adminFrom: [namespaced('metrics')] }, 'metrics'],
    ['from nowhere', { adminFrom: [] }, undefined],
  ])('OPS-31: the network lets Prometheus alone in at the admin port, %s', (_, networkPolicy, namespace) => {
    const manifests = render({ networkPolicy });
    const helmTest = { podSelector: specOf('NetworkPolicy', manifests, TEST).podSelector };
    const monitoring = namespace === undefined ? [] : [namespaced(namespace)];
    expect(specOf('NetworkPolicy', manifests, ROUTER).ingress).toEqual([
      { ports: [{ port: 8080, protocol: 'TCP' }] },
      { ports: [{ port: 8081, protocol: 'TCP' }], from: [...monitoring, helmTest] },
    ]);
  });
});

describeHelm('the autoscaler', () => {
  test('OPS-33: goes by CPU, and by the lag of the event loop where that is asked for', () => {
    expect(metricsWith({})).toEqual([cpu(70)]);
    expect(metricsWith({ targetEventLoopLagMs: 80 })).toEqual([
      cpu(70),
      {
        type: 'Pods',
        pods: {
          metric: { name: 'chutes_autopilot_event_loop_lag_seconds' },
          target: { type: 'AverageValue', averageValue: '80m' },
        },
      },
    ]);
  });
});
