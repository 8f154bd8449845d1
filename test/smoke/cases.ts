import type { Case } from './case.ts';
import { CATALOG } from './cases/catalog.ts';
import { ALIAS, DIRECT, LIST, STICKINESS } from './cases/choosing.ts';
import { DOORS } from './cases/doors.ts';
import { ERRORS, REQUEST_ID } from './cases/errors.ts';
import { FAILOVER, TIMEOUTS } from './cases/failover.ts';
import { HEALTH, METRICS } from './cases/operations.ts';
import { STREAMING } from './cases/streaming.ts';

/** All cases, in the order in which they are gone through. */
export const GROUPS: Readonly<Record<string, readonly Case[]>> = {
  health: HEALTH,
  models: CATALOG,
  alias: ALIAS,
  list: LIST,
  direct: DIRECT,
  streaming: STREAMING,
  doors: DOORS,
  failover: FAILOVER,
  timeouts: TIMEOUTS,
  errors: ERRORS,
  'request id': REQUEST_ID,
  stickiness: STICKINESS,
  metrics: METRICS,
};
