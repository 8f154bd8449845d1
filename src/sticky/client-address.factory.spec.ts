import type { IncomingMessage } from 'node:http';
import { expect, test } from '@jest/globals';
import { clientAddress } from './client-address.factory.js';

function requestFrom(peer: string | undefined, forwardedFor?: string): IncomingMessage {
  return {
    socket: { remoteAddress: peer },
    headers: forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor },
  } as unknown as IncomingMessage;
}

test.each([
  ['STK-13', 'the peer’s', [], '203.0.113.1', undefined, '203.0.113.1'],
  ['STK-17', 'the peer’s, whatever it says', [], '203.0.113.1', '198.51.100.1', '203.0.113.1'],
  [
    'STK-17',
    'the peer’s where that is not trusted',
    ['10.0.0.0/8'],
    '203.0.113.1',
    '198.51.100.1',
    '203.0.113.1',
  ],
  ['STK-17', 'the one a trusted peer tells', ['10.0.0.0/8'], '10.1.2.3', '198.51.100.1', '198.51.100.1'],
  ['STK-17', 'a trusted peer’s own if it tells none', ['10.0.0.0/8'], '10.1.2.3', undefined, '10.1.2.3'],
  [
    'STK-17',
    'the last that is not trusted',
    ['10.0.0.0/8'],
    '10.1.2.3',
    '1.1.1.1, 2.2.2.2, 10.9.9.9',
    '2.2.2.2',
  ],
  ['STK-17', 'an IPv6 one', ['fd00::/8'], 'fd00::1', '2001:db8::7', '2001:db8::7'],
  [
    'STK-17',
    'an IPv4 peer’s that is written as IPv6',
    ['10.0.0.0/8'],
    '::ffff:10.1.2.3',
    '198.51.100.1',
    '198.51.100.1',
  ],
  [
    'STK-34',
    'the last that is not trusted, ports or not',
    ['10.0.0.0/8'],
    '10.1.2.3',
    '2.2.2.2:1, 10.9.9.9:2',
    '2.2.2.2',
  ],
  ['STK-34', 'an IPv6 one with a port', ['fd00::/8'], 'fd00::1', '[2001:db8::7]:443', '2001:db8::7'],
  ['STK-13', 'nobody’s once the connection has gone', [], undefined, undefined, ''],
])('%s: the address is %s', (_clause, _, trusted, peer, forwardedFor, address) => {
  expect(clientAddress(trusted)(requestFrom(peer, forwardedFor))).toBe(address);
});
