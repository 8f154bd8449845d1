import type { Dispatcher } from 'undici';

/** Stands where undici stands: takes the request, and does to its handler what a connection would. */
export class FakeConnection implements Dispatcher.DispatchController {
  handler!: Dispatcher.DispatchHandler;
  readonly aborted = false;
  readonly reason = null;
  paused = false;
  rawHeaders: Buffer[] = [];
  isAborted = false;

  dispatch(_: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.handler = handler;
    return true;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  abort(reason: Error): void {
    this.isAborted = true;
    this.handler.onResponseError?.(this, reason);
  }

  sent(): void {
    this.handler.onRequestStart?.(this, {});
  }
  head(status: number, ...headers: string[]): void {
    this.rawHeaders = headers.map((text) => Buffer.from(text, 'latin1'));
    this.handler.onResponseStart?.(this, status, {});
  }
  data(bytes: string | Buffer): void {
    this.handler.onResponseData?.(this, Buffer.from(bytes));
  }
  end(): void {
    this.handler.onResponseEnd?.(this, {});
  }
}
