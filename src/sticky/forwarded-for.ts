import { isIP } from 'node:net';

/**
 * `X-Forwarded-For` as most proxies write it. Some add each connection's port to an address, which would make a client of its
 * own of every connection, and some put quotes or brackets around it.
 */
export function addressesAlone(forwardedFor: string): string {
  return forwardedFor.split(',').map(addressAlone).join(', ');
}

function addressAlone(entry: string): string {
  const text = entry.trim().replace(/^"(.*)"$/, '$1');
  // The last part of an IPv6 address looks like a port.
  return isIP(text) === 0 ? text.replace(/:\w*$/, '').replace(/^\[(.*)\]$/, '$1') : text;
}
