import { type Entry, Roster } from './roster.js';

export interface DeadlineListener {
  onDeadline(): void;
}

/**
 * What must happen by a certain moment, with one timer for all of it. Nearly every deadline is moved or called off long before:
 * to do so costs next to nothing here, and with a timer for each it costs every request.
 */
export class Deadlines {
  private readonly set = new Roster<Deadline>();
  private timer: NodeJS.Timeout | undefined;
  private firesAtMs = Infinity;

  for(listener: DeadlineListener): Deadline {
    return new Deadline(this, listener);
  }

  /** @internal */
  watch(deadline: Deadline): Entry<Deadline> {
    return this.set.add(deadline);
  }

  /** @internal */
  unwatch(entry: Entry<Deadline>): void {
    this.set.remove(entry);
  }

  /** @internal Makes sure of a look at this moment or before it. */
  lookAt(atMs: number): void {
    if (atMs >= this.firesAtMs) return;
    clearTimeout(this.timer);
    this.firesAtMs = atMs;
    this.timer = setTimeout(
      () => {
        this.firesAtMs = Infinity;
        const nowMs = performance.now();
        // What has come while the process stood still is read first.
        setImmediate(() => this.look(nowMs));
      },
      Math.max(0, Math.ceil(atMs - performance.now())),
    );
    // Whoever waits has a connection open.
    this.timer.unref();
  }

  private look(nowMs: number): void {
    let nextMs = Infinity;
    for (const deadline of this.set) nextMs = Math.min(nextMs, deadline.check(nowMs));
    if (nextMs < Infinity) this.lookAt(nextMs);
  }
}

/** A moment that can be moved. */
export class Deadline {
  private atMs = Infinity;
  private entry: Entry<Deadline> | undefined;

  constructor(
    private readonly deadlines: Deadlines,
    private readonly listener: DeadlineListener,
  ) {}

  get isSet(): boolean {
    return this.entry !== undefined;
  }

  /** In place of what was set before. @param atMs in monotonic milliseconds */
  set(atMs: number): void {
    this.atMs = atMs;
    this.entry ??= this.deadlines.watch(this);
    this.deadlines.lookAt(atMs);
  }

  clear(): void {
    if (!this.entry) return;
    this.deadlines.unwatch(this.entry);
    this.entry = undefined;
  }

  /** Tells the listener if it has passed. @returns when it is time to look again. */
  check(nowMs: number): number {
    if (!this.entry) return Infinity;
    if (this.atMs <= nowMs) {
      this.clear();
      this.listener.onDeadline();
    }
    return this.entry ? this.atMs : Infinity;
  }
}
