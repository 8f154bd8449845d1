/** Somebody who needs a connection. Exactly one of the two is called, `granted` perhaps at once. */
export interface Waiter {
  granted(): void;
  timedOut(): void;
}

/** Bounds how many upstream connections are in use. Who finds none free waits in line, for a bounded time. */
export class ConnectionSlots {
  private free: number;
  private readonly waiting = new Map<Waiter, NodeJS.Timeout>();

  constructor(
    size: number,
    private readonly maxWaitMs: number,
  ) {
    this.free = size;
  }

  take(waiter: Waiter): void {
    if (this.free > 0) {
      this.free -= 1;
      waiter.granted();
      return;
    }
    const timer = setTimeout(() => {
      this.waiting.delete(waiter);
      waiter.timedOut();
    }, this.maxWaitMs);
    this.waiting.set(waiter, timer);
  }

  leave(waiter: Waiter): void {
    clearTimeout(this.waiting.get(waiter));
    this.waiting.delete(waiter);
  }

  release(): void {
    const [next] = this.waiting.keys();
    if (next) {
      this.leave(next);
      next.granted();
    } else {
      this.free += 1;
    }
  }
}
