import { type Fleet, type FleetName, FLEETS } from './fleet.ts';
import type { Scenario, Trouble } from './run.ts';

/** Those of a default run first. */
const FEW: readonly Named[] = [
  calm('captured', 0.01),
  calm('captured', 0.1),
  calm('captured', 0.4),
  calm('without the giant', 0.1),
  calm('of 14', 0.1),
  troubled('the best model hangs', { kind: 'hang' }),
  troubled('the best model says 503', { kind: 'unavailable' }),
  troubled('all first tokens take 10 times as long', { kind: 'slow', times: 10 }),
];

const MORE: readonly Named[] = [
  calm('without the giant', 0.4),
  calm('of 14', 0.4),
  troubled('the best model takes nothing new', { kind: 'deaf' }),
  troubled('the best model resets', { kind: 'reset' }),
  troubled('a rush fills the best model', { kind: 'rush' }),
  troubled('one instance of the best model is sick', { kind: 'sick' }),
  troubled('the best model hangs', { kind: 'hang' }, 0.01),
  troubled('the best model hangs', { kind: 'hang' }, 0.1, 'without the giant'),
];

export interface Named {
  readonly title: string;
  /** @param minutes how long it is measured where nothing in particular happens */
  readonly scenario: (all: Fleet, minutes: number) => Scenario;
}

export function scenariosFor(isAll: boolean): readonly Named[] {
  return isAll ? [...FEW, ...MORE] : FEW;
}

function calm(fleet: FleetName, share: number): Named {
  return {
    title: `fleet ${fleet}, ${percent(share)} ours`,
    scenario: (all, minutes) => ({ fleet: FLEETS[fleet](all), share, minutes, outages: true }),
  };
}

type What = Trouble extends infer T ? (T extends Trouble ? Omit<T, 'minutes'> : never) : never;

function troubled(title: string, what: What, share = 0.1, fleet: FleetName = 'captured'): Named {
  const minutes = 6;
  return {
    title: `${title}, ${fleet === 'captured' ? '' : `fleet ${fleet}, `}${percent(share)} ours`,
    scenario: (all) => ({
      fleet: FLEETS[fleet](all),
      share,
      minutes,
      outages: false,
      trouble: { ...what, minutes },
    }),
  };
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
