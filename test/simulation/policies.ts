/** How models are chosen: the router with these settings, or whoever sees all. */
export type Policy = RouterPolicy | 'omniscient';

export interface RouterPolicy {
  /** Of the environment; all others are at their defaults. */
  readonly settings: Readonly<Record<string, string>>;
  /** Of the alias, as `AUTOPILOT_ALIASES` has it. */
  readonly alias: Readonly<Record<string, unknown>>;
}

const FORGETFUL = { COOLDOWN_FAILURES: '0', CAPACITY_AVOID_SECS: '0', LEARNED_DEADLINES: 'false' };

/** Side by side, each with something more than the one before it. */
export const POLICIES = {
  'without memories': { settings: FORGETFUL, alias: {} },
  'with memories': { settings: {}, alias: {} },
  'with spread, too': { settings: {}, alias: { spread: true } },
  omniscient: 'omniscient',
} as const satisfies Readonly<Record<string, Policy>>;

export type PolicyName = keyof typeof POLICIES;

/** The same with other settings of the environment. */
export function withSettings(policy: Policy, settings: Readonly<Record<string, string>>): Policy {
  return policy === 'omniscient' ? policy : { ...policy, settings: { ...policy.settings, ...settings } };
}
