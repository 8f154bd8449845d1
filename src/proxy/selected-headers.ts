import type { RequestRecord } from '../request/request-record.js';
import { asHeaderValue } from '../upstream/headers.js';

/** What the client of an alias or a list is told of the choice: names and values in turn. Who names one model knows. */
export function selectedHeaders({ mode, attempts }: RequestRecord, model: string): readonly string[] {
  if (mode === 'direct') return [];
  return [
    'x-chutes-autopilot-selected',
    asHeaderValue(model),
    'x-chutes-autopilot-attempts',
    String(attempts),
  ];
}
