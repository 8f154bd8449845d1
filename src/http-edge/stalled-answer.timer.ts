import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { bytesWaiting } from '../runtime/bytes-waiting.socket.js';
import { type Deadline, type DeadlineListener, Deadlines } from '../runtime/deadlines.timer.js';
import { awaitEndOfTurn, type TurnListener } from '../runtime/turn.timer.js';

/** Whose answer it is. */
interface Answered {
  isInterrupted: boolean;
}

/** How long a client may take no byte of an answer of the router's own. */
export class StallLimit {
  readonly deadlines = new Deadlines();

  /** @param ms 0: for ever */
  constructor(readonly ms: number) {}

  /** From now on it holds for this connection. */
  applyTo(socket: Socket): void {
    if (this.ms > 0) limits.set(socket, this);
  }
}

const limits = new WeakMap<Socket, StallLimit>();

/** Cuts the connection of a client that does not take this answer, which has been written or is about to be. */
export function cutIfStalled(response: ServerResponse, answered?: Answered): void {
  const limit = limits.get(response.req.socket);
  if (limit) awaitEndOfTurn(new StallWatch(response, limit, answered));
}

/** Nearly every answer is gone at the end of its turn, and there is nothing to watch then. */
class StallWatch implements TurnListener, DeadlineListener {
  private readonly deadline: Deadline;
  private bytesLeft = 0;

  constructor(
    private readonly response: ServerResponse,
    private readonly limit: StallLimit,
    private readonly answered: Answered | undefined,
  ) {
    this.deadline = limit.deadlines.for(this);
  }

  onEndOfTurn(): void {
    const { response } = this;
    if (isOver(response)) return;
    if (response.socket) {
      response.once('close', () => this.deadline.clear());
      this.expectClient();
    } else {
      // Nothing is offered to the client yet: a pipelined answer in front of this one is not complete.
      response.once('socket', () => awaitEndOfTurn(this));
    }
  }

  onDeadline(): void {
    const { response, answered } = this;
    const left = bytesWaiting(response);
    if (left === 0 || left !== this.bytesLeft) {
      this.expectClient();
      return;
    }
    if (answered) answered.isInterrupted = true;
    response.req.socket.resetAndDestroy();
  }

  private expectClient(): void {
    this.bytesLeft = bytesWaiting(this.response);
    this.deadline.set(performance.now() + this.limit.ms);
  }
}

function isOver({ writableFinished, destroyed }: ServerResponse): boolean {
  return writableFinished || destroyed;
}
