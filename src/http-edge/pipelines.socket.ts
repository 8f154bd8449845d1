import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ApiError } from '../openai/api-error.js';
import { type Entry, Roster } from '../runtime/roster.js';
import { HeldSource } from './held-source.socket.js';

/** With so many unfinished requests a connection is not read any further. */
const MAX_UNFINISHED = 32;
/** So many may be unfinished all the same: one read can hold nearly two thousand, and what is read cannot be put back. */
const MAX_TAKEN = 64;
/**
 * Of all connections together, beyond the one that each is answering. One that waits takes some kilobytes, and without this
 * limit a few hundred bytes on each of thousands of connections would take gigabytes.
 */
const MAX_WAITING = 4_096;

/** The requests that wait for those in front of them on their connection to be answered. */
export class Pipelines {
  private readonly pipelines = new WeakMap<Socket, Pipeline>();
  private waiting = 0;

  constructor(private readonly maxWaiting = MAX_WAITING) {}

  /**
   * Takes in a request whose connection is still answering another one.
   *
   * @returns why it is the last one of its connection.
   */
  join(request: IncomingMessage, response: ServerResponse): ApiError | undefined {
    const { socket } = request;
    let pipeline = this.pipelines.get(socket);
    if (!pipeline) {
      pipeline = new Pipeline(socket);
      this.pipelines.set(socket, pipeline);
    }
    const refusal = this.refusalFor(pipeline);
    if (refusal) {
      // Whoever leaves is to be noticed, and who goes on sending to get the answer.
      pipeline.readOn();
      return refusal;
    }
    const entry = pipeline.join(request, response);
    this.waiting += 1;
    const leave = () => {
      if (pipeline.leave(entry)) this.waiting -= 1;
    };
    // Node hands over the connection when the answer in front is finished; without one, both end together.
    response.once('socket', leave).once('close', leave);
    return undefined;
  }

  private refusalFor({ unfinished }: Pipeline): ApiError | undefined {
    if (unfinished >= MAX_TAKEN) return ApiError.badRequest(TOO_MANY);
    return this.waiting >= this.maxWaiting ? ApiError.overloaded() : undefined;
  }
}

const TOO_MANY = `There are more than ${MAX_TAKEN} unfinished requests on the connection.`;

/** Those of one connection. */
class Pipeline {
  private readonly waiting = new Roster<ServerResponse>();
  private readonly source: HeldSource;

  constructor(socket: Socket) {
    this.source = new HeldSource(socket);
    // Node does so itself, unless a CONNECT has come: then it knows nothing of the connection any more.
    socket.once('close', () => {
      for (const response of this.waiting) response.destroy();
    });
  }

  /** The one that is being answered, and those behind it. */
  get unfinished(): number {
    return this.waiting.size + 1;
  }

  join(request: IncomingMessage, response: ServerResponse): Entry<ServerResponse> {
    const entry = this.waiting.add(response);
    if (this.isFull) {
      // Its body is still wanted.
      this.source.release();
      onceParsed(request, () => {
        if (this.isFull) this.source.hold();
      });
    }
    return entry;
  }

  /** @returns whether it was still waiting. */
  leave(entry: Entry<ServerResponse>): boolean {
    if (entry.index === -1) return false;
    this.waiting.remove(entry);
    if (!this.isFull) this.source.release();
    return true;
  }

  readOn(): void {
    this.source.release();
  }

  private get isFull(): boolean {
    return this.unfinished >= MAX_UNFINISHED;
  }
}

/** Calls back when the parser is at the end of a request. Its `end` comes only when somebody has read the body to its end. */
function onceParsed(request: IncomingMessage, parsed: () => void): void {
  const push = request.push.bind(request);
  request.push = (chunk: unknown, encoding?: BufferEncoding) => {
    const wantsMore = push(chunk, encoding);
    if (chunk === null) parsed();
    return wantsMore;
  };
}
