import { Inject, Injectable } from '@nestjs/common';
import type { ModelId } from '../catalog/model-list.js';
import { CONFIG, type Config } from '../config/config.js';
import { ModelHealthService } from '../routing/model-health.service.js';
import { FirstBytes } from '../upstream/learned-deadline.js';
import { AttemptReport, type AttemptWatcher, type Memories } from './attempt-report.js';

/** What is asked for: a stream or not, and of a model or not. */
interface Asking {
  readonly asked: { readonly stream: boolean };
  readonly generates: boolean;
}

/** Where attempts say nothing about a model. */
const FORGETFUL: Memories = {
  health: { begin: () => FORGETFUL, answering() {}, succeeded() {}, failed() {}, broke() {}, ended() {} },
  firstBytes: { observe() {} },
};

/** The one door through which it is told what attempts have shown, and to whom. */
@Injectable()
export class AttemptReports {
  private readonly memories: Memories;
  private readonly firstBytes = new FirstBytes();
  private readonly learnsDeadlines: boolean;

  constructor(@Inject(CONFIG) { attempts }: Config, health: ModelHealthService) {
    this.learnsDeadlines = attempts.learnsDeadlines;
    this.memories = { health, firstBytes: this.firstBytes };
  }

  /** An attempt begins. @param pin of its client */
  begin(model: ModelId, { asked, generates }: Asking, pin: AttemptWatcher | undefined): AttemptReport {
    return new AttemptReport(generates ? this.memories : FORGETFUL, model, asked.stream, pin);
  }

  /** How long the first attempt of a stream may take to its first byte, in milliseconds. @returns Infinity where only settings count */
  learnedMs(promptBytes: number): number {
    return this.learnsDeadlines ? this.firstBytes.deadlineMs(promptBytes) : Infinity;
  }
}
