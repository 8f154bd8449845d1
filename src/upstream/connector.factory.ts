import type { Socket } from 'node:net';
import { buildConnector } from 'undici';

/** Makes undici's connections, HTTP/1.1 only, and knows which one is being made for whom. */
export class Connector {
  private begun: Socket | undefined;
  private readonly open: buildConnector.connector;

  /** @param timeoutMs at most; undici's timer is coarse and fires late */
  constructor(timeoutMs: number) {
    this.open = buildConnector({ allowH2: false, timeout: timeoutMs });
  }

  /** For undici. */
  readonly connect: buildConnector.connector = (options, callback) => {
    // Its type does not say so, but it returns the socket, which is still to be connected.
    this.begun = this.open(options, (...result) => {
      result[1]?.on('error', nameReset);
      callback(...result);
    }) as unknown as Socket;
  };

  /** The connection that `dispatch` has begun to make; `undefined` if it takes one that is there, or waits. */
  during(dispatch: () => void): Socket | undefined {
    this.begun = undefined;
    dispatch();
    return this.begun;
  }
}

/**
 * undici takes an ECONNRESET for the proper end of an answer that only the end of the connection ends. Half an
 * answer would look complete, so the reset goes by another name.
 */
function nameReset(error: NodeJS.ErrnoException): void {
  if (error.code === 'ECONNRESET') error.code = 'ECONNABORTED';
}
