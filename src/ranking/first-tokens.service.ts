import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type Observable, Subject } from 'rxjs';
import { FirstTokens } from './first-tokens.js';

/** At most so often it is said that something is different. */
const SIGNAL_MS = 1_000;

/** How long models took to their first token, as the router's own answers have shown. */
@Injectable()
export class FirstTokensService implements OnApplicationShutdown {
  private readonly tokens = new FirstTokens();
  private readonly changed = new Subject<void>();
  private timer: NodeJS.Timeout | undefined;

  /** Emits within a second after medians may have changed, and at most once a second. */
  readonly changes: Observable<void> = this.changed;

  /**
   * A streamed answer has ended well and in full.
   *
   * @param model its id in the catalog
   * @param ms from the sending of the request to the first byte of the answer's body
   */
  observe(model: string, ms: number): void {
    this.tokens.observe(model, ms / 1_000, performance.now());
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.changed.next();
    }, SIGNAL_MS);
    this.timer.unref();
  }

  /** The median of the last ten minutes, in seconds; `undefined` where fewer than five answers are known. */
  medianS(model: string, nowMs = performance.now()): number | undefined {
    return this.tokens.medianS(model, nowMs);
  }

  onApplicationShutdown(): void {
    clearTimeout(this.timer);
  }
}
