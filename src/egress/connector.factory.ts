import type { Socket } from 'node:net';
import { buildConnector } from 'undici';
import { portOf, type ProxyChoice } from './proxy-choice.js';
import { openTunnel, TunnelError } from './tunnel.factory.js';

/** A connection that is being made, and can be given up. */
export interface Connecting {
  destroy(error: Error): unknown;
}

/** Makes undici's connections, HTTP/1.1 only, and knows which one is being made for whom. */
export class Connector {
  private begun: Connecting | undefined;
  private readonly open: buildConnector.connector;

  /**
   * @param timeoutMs for a connection, at most. Without a proxy the timer is undici's, which is coarse and
   *   fires late.
   */
  constructor(
    private readonly timeoutMs: number,
    private readonly proxyFor: ProxyChoice = () => undefined,
  ) {
    this.open = buildConnector({ allowH2: false, timeout: timeoutMs });
  }

  /** For undici. */
  readonly connect: buildConnector.connector = (options, callback) => {
    const done: buildConnector.Callback = (...result) => {
      result[1]?.on('error', nameReset);
      callback(...result);
    };
    const proxy = this.proxyFor(options);
    this.begun = proxy ? this.openThrough(proxy, options, done) : this.openDirectly(options, done);
  };

  /** The connection that `dispatch` has begun to make; `undefined` if it takes one that is there, or waits. */
  during(dispatch: () => void): Connecting | undefined {
    this.begun = undefined;
    dispatch();
    return this.begun;
  }

  private openDirectly(options: buildConnector.Options, done: buildConnector.Callback): Connecting {
    // Its type does not say so, but it returns the socket, which is still to be connected.
    return this.open(options, done) as unknown as Socket;
  }

  /** To `http` upstreams, too, it is a tunnel: only so can the proxy's refusal be told from the upstream's answer. */
  private openThrough(
    proxy: URL,
    options: buildConnector.Options,
    done: buildConnector.Callback,
  ): Connecting {
    const timer = setTimeout(() => step.destroy(new TunnelError('the proxy was too slow')), this.timeoutMs);
    const finish: buildConnector.Callback = (...result) => {
      clearTimeout(timer);
      done(...result);
    };
    let step: Connecting = openTunnel(proxy, authorityOf(options), (error, socket) => {
      if (error) {
        finish(error, null);
      } else if (options.protocol === 'https:') {
        step = this.openDirectly({ ...options, httpSocket: socket }, finish);
      } else {
        step = socket;
        finish(null, socket);
      }
    });
    return { destroy: (error) => step.destroy(error) };
  }
}

/** `host:port`, an IPv6 address in brackets. */
function authorityOf(options: buildConnector.Options): string {
  const { hostname } = options;
  return `${hostname.includes(':') ? `[${hostname}]` : hostname}:${portOf(options)}`;
}

/**
 * undici takes an ECONNRESET for the proper end of an answer that only the end of the connection ends. Half an
 * answer would look complete, so the reset goes by another name.
 */
function nameReset(error: NodeJS.ErrnoException): void {
  if (error.code === 'ECONNRESET') error.code = 'ECONNABORTED';
}
