import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';
import { addressesAlone } from './forwarded-for.js';

const FORWARDED_FOR = 'x-forwarded-for';

/**
 * The address of a request's client: the peer's or, where that is a trusted proxy, the last in `X-Forwarded-For` that is not.
 *
 * @param trusted addresses and networks
 */
export function clientAddress(trusted: readonly string[]): (request: IncomingMessage) => string {
  if (trusted.length === 0) return ({ socket }) => socket.remoteAddress ?? '';
  const isTrusted = proxyAddr.compile([...trusted]);
  return ({ headers, socket }) => {
    const { [FORWARDED_FOR]: told } = headers;
    // It asks for no more of a request than this.
    const request: Pick<IncomingMessage, 'socket' | 'headers'> = {
      socket,
      headers: { [FORWARDED_FOR]: told && addressesAlone(String(told)) },
    };
    return proxyAddr(request as IncomingMessage, isTrusted);
  };
}
