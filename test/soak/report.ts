import type { Held } from '../support/memory-probe.ts';
import { byCount, sum, table } from '../support/table.ts';
import { type Idle, inMb } from './inspection.ts';
import type { Soak } from './soak.ts';

/** One line for one round. */
export function roundReport({ ledger: { tally } }: Soak, held: Held): string {
  const { heapBytes, externalBytes, residentBytes } = held;
  return [
    `${tally.total} requests`,
    `heap ${inMb(heapBytes)} MB`,
    `outside the heap ${inMb(externalBytes)} MB`,
    `resident ${inMb(residentBytes)} MB`,
    `problems ${tally.problems.length}`,
  ].join(', ');
}

/** All that was counted. */
export function finalReport(soak: Soak, measured: readonly Held[], before: Idle, after: Idle): string {
  const { tally } = soak.ledger;
  const { attempts } = tally;
  const { faults, front } = soak.upstream;
  return [
    table('Requests', [...byCount(tally.requests), ['all', tally.total]]),
    table('What the upstream did', [...byCount(faults), ['all', sum(faults)]]),
    table('On the way to the upstream', [
      ['connections', front.counts.connections],
      ['cut', front.counts.cut],
      ['chopped', front.counts.chopped],
      ['times without anyone listening', front.counts.refusals],
    ]),
    table('Attempts', [
      ['by the log lines', attempts.attempts],
      ['arrived', attempts.arrived],
      ['not connected', attempts.notConnected],
      ['broken on the way', attempts.brokenOnTheWay],
      ['abandoned on the way', attempts.abandonedOnTheWay],
      ['late on the way', attempts.lateOnTheWay],
      ['failed, for whatever reason', tally.failovers],
    ]),
    table('Of the machine', [
      ['a process stood still for, at most (ms)', Math.round(soak.stalls.longestMs)],
      ['in all (s)', Math.round(soak.stalls.within({ fromMs: 0, toMs: Infinity }) / 1_000)],
      ['requests that were late for it', tally.late.length],
    ]),
    memoryReport(soak, measured),
    table('Open in the idle router, before → after', [
      ['sockets', `${before.sockets} → ${after.sockets}`],
      ['timers', `${before.timers} → ${after.timers}`],
    ]),
    table('Outcomes', [
      ...byCount(tally.outcomes).filter(([name]) => name !== 'lost'),
      ['lost', tally.outcomes.get('lost') ?? 0],
    ]),
  ].join('\n');
}

function memoryReport(soak: Soak, measured: readonly Held[]): string {
  const early = measured[1] ?? measured[0];
  const last = measured.at(-1);
  if (!early || !last) return '';
  const row = (name: string, key: keyof Held) =>
    [name, `${inMb(early[key])} → ${inMb(last[key])}`] satisfies [string, string];
  return table('Memory in MB, after the second round → at the end', [
    row('heap', 'heapBytes'),
    row('outside the heap', 'externalBytes'),
    row('resident', 'residentBytes'),
    ['resident, at most', inMb(soak.peakBytes)],
  ]);
}
