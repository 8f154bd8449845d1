import { BlockList, isIP } from 'node:net';
import type { Config } from '../config/config.js';

/** Where a connection is to lead. */
export interface Destination {
  /** `http:` or `https:`. */
  readonly protocol: string;
  /** A name, or an address without brackets. */
  readonly hostname: string;
  /** Empty for the protocol's own. */
  readonly port: string;
}

/** The proxy that a connection is to go through, if any. */
export type ProxyChoice = (destination: Destination) => URL | undefined;

/** An entry of `NO_PROXY`. */
type Exception = (hostname: string, port: number) => boolean;

/** As `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say. */
export function proxyChoice({ httpsProxy, httpProxy, noProxy }: Config['egress']): ProxyChoice {
  const exceptions = noProxy.map(exceptionOf);
  return (destination) => {
    const proxy = destination.protocol === 'https:' ? httpsProxy : httpProxy;
    if (proxy === undefined) return undefined;
    const hostname = destination.hostname.replace(/\.$/, '').toLowerCase();
    const port = portOf(destination);
    return exceptions.some((holds) => holds(hostname, port)) ? undefined : proxy;
  };
}

export function portOf({ protocol, port }: Destination): number {
  return Number(port) || (protocol === 'https:' ? 443 : 80);
}

/** An entry that makes no sense applies to nothing: other programs read the same variable in ways of their own. */
function exceptionOf(entry: string): Exception {
  // An IPv6 address that is followed by a port has brackets.
  const [, bracketed, plain, onlyPort] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? [];
  const covers = hostRule(bracketed ?? plain ?? entry);
  return (hostname, port) => (onlyPort === undefined || Number(onlyPort) === port) && covers(hostname);
}

function hostRule(host: string): (hostname: string) => boolean {
  if (host === '*') return () => true;
  const network = networkOf(host);
  const name = host
    .replace(/^\*?\./, '')
    .replace(/\.$/, '')
    .toLowerCase();
  return (hostname) =>
    isIP(hostname) === 0
      ? hostname === name || hostname.endsWith(`.${name}`)
      : network?.check(hostname, family(hostname)) === true;
}

/** An address, or a network such as `10.0.0.0/8`. */
function networkOf(text: string): BlockList | undefined {
  const [address = '', prefix = isIP(address) === 6 ? '128' : '32', ...rest] = text.split('/');
  const isNetwork = isIP(address) !== 0 && /^\d{1,3}$/.test(prefix) && rest.length === 0;
  if (!isNetwork || Number(prefix) > (isIP(address) === 6 ? 128 : 32)) return undefined;
  const network = new BlockList();
  network.addSubnet(address, Number(prefix), family(address));
  return network;
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
