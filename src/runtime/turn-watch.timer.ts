/** How long after a short turn the next one is measured, in milliseconds. */
const REST_MS = 100;
/** After a longer one the next is measured at once: the event loop has no rest either. */
const SHORT_MS = 20;

/** Measures how long turns of the event loop take while there is something to do: at rest a turn is measured as next to nothing. */
export class TurnWatch {
  private beganAtMs = 0;
  private lastMs = 0;
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;

  /** @param onTurn given how long a turn took, and how long ago the one before it was measured */
  constructor(private readonly onTurn: (turnMs: number, sinceLastMs: number) => void) {}

  start(): void {
    this.lastMs = performance.now();
    this.rest();
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  private rest(): void {
    this.timer = setTimeout(this.begin, REST_MS).unref();
  }

  /** From the end of one turn to the end of the next one, which waits for nothing since somebody waits for its end. */
  private readonly begin = (): void => {
    setImmediate(this.onBegin);
  };

  private readonly onBegin = (): void => {
    this.beganAtMs = performance.now();
    setImmediate(this.onEnd);
  };

  private readonly onEnd = (): void => {
    if (this.isStopped) return;
    const nowMs = performance.now();
    const turnMs = nowMs - this.beganAtMs;
    const sinceLastMs = nowMs - this.lastMs;
    this.lastMs = nowMs;
    this.onTurn(turnMs, sinceLastMs);
    if (turnMs < SHORT_MS) {
      this.rest();
    } else {
      this.beganAtMs = nowMs;
      setImmediate(this.onEnd);
    }
  };
}
