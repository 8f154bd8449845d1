import { type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { urlToHttpOptions } from 'node:url';

const KEEP_ALIVE_DELAY_MS = 60_000;

/**
 * Why a proxy gave no tunnel, in words fit for a log line. It has no `code`: undici tries again for ever after
 * some of the codes that a lost proxy brings.
 */
export class TunnelError extends Error {}

/**
 * Asks a proxy for a tunnel, over TLS if the proxy's URL says so.
 *
 * @param target `host:port` of the other end
 * @param done called exactly once, with a connected socket or the failure
 * @returns the request; to destroy it ends the attempt
 */
export function openTunnel(
  proxy: URL,
  target: string,
  done: (...result: [null, Socket] | [TunnelError, null]) => void,
): ClientRequest {
  const { hostname, port, auth } = urlToHttpOptions(proxy);
  const host = String(hostname);
  const isTls = proxy.protocol === 'https:';
  const request = (isTls ? httpsRequest : httpRequest)({
    agent: false,
    host,
    port,
    // Node would take the name in the header `Host`, which is that of the other end.
    servername: isIP(host) === 0 ? host : '',
    method: 'CONNECT',
    path: target,
    headers: {
      host: target,
      ...(auth && { 'proxy-authorization': `Basic ${Buffer.from(auth).toString('base64')}` }),
    },
  });
  request.once('connect', ({ statusCode = 0 }, socket: Socket, early: Buffer) => {
    if (statusCode < 200 || statusCode > 299) return refuse(`the proxy answered ${statusCode}`);
    // The other end waits to be spoken to, so these bytes are the proxy's own.
    if (early.length > 0) return refuse('the proxy sent more than an answer');
    done(null, socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS));

    function refuse(why: string): void {
      socket.on('error', () => {}).destroy();
      done(new TunnelError(why), null);
    }
  });
  request.once('error', (cause: NodeJS.ErrnoException) => {
    // Only the code: a message may quote what was sent.
    const why = `the proxy failed: ${cause.code ?? cause.name}`;
    done(cause instanceof TunnelError ? cause : new TunnelError(why, { cause }), null);
  });
  request.end();
  return request;
}
