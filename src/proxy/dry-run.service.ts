import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { CatalogService } from '../catalog/catalog.service.js';
import { ageMs } from '../catalog/snapshot.js';
import { sendDocument } from '../http-edge/send-document.socket.js';
import type { RequestRecord } from '../request/request-record.js';
import type { CandidateOrder } from '../routing/candidate-order.js';
import type { Decision } from '../routing/decision.js';
import { type DecisionFacts, decisionDocument } from '../routing/decision-document.js';

const HEADER = 'x-chutes-autopilot-dry-run';

/** Whether a request wants to know what would become of it, and no more. */
export function isDryRun({ headers }: IncomingMessage): boolean {
  const value = headers[HEADER];
  return typeof value === 'string' && value.toLowerCase() === 'true';
}

/** Answers with the decision in place of sending the request anywhere. Nothing changes by it, pins neither. */
@Injectable()
export class DryRunService {
  constructor(private readonly catalog: CatalogService) {}

  /** @param pin the client's, and whether the request would follow it. */
  answer(record: RequestRecord, decision: Decision, order: CandidateOrder, pin: DecisionFacts['pin']): void {
    record.isDryRun = true;
    const nowMs = performance.now();
    const { models, utilization, stats } = this.catalog;
    const document = decisionDocument(decision, order, {
      id: record.id,
      atMs: Date.now(),
      pin,
      feeds: {
        models: ageMs(models.last, nowMs),
        utilization: ageMs(utilization.last, nowMs),
        stats: ageMs(stats.last, nowMs),
      },
    });
    if (!record.isGone) record.answered(sendDocument(record, document), nowMs);
  }
}
