import { expect, test } from '@jest/globals';
import { addressesAlone } from './forwarded-for.js';

test.each([
  ['198.51.100.7', '198.51.100.7'],
  ['198.51.100.7:51234', '198.51.100.7'],
  ['198.51.100.7:', '198.51.100.7'],
  ['2001:db8::1', '2001:db8::1'],
  // Without brackets these four digits are a part of the address.
  ['2001:db8::1:5123', '2001:db8::1:5123'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['[2001:db8::1]:443', '2001:db8::1'],
  ['"[2001:db8::1]:443"', '2001:db8::1'],
  ['"198.51.100.7:51234"', '198.51.100.7'],
  ['2001:db8:0:0:0:0:0:1:51234', '2001:db8:0:0:0:0:0:1'],
  ['::ffff:198.51.100.7', '::ffff:198.51.100.7'],
  ['::ffff:198.51.100.7:51234', '::ffff:198.51.100.7'],
  ['[::ffff:198.51.100.7]:51234', '::ffff:198.51.100.7'],
  ['fe80::1%eth0', 'fe80::1%eth0'],
  ['[fe80::1%eth0]:443', 'fe80::1%eth0'],
  // What stands for an address that is not told.
  ['unknown', 'unknown'],
  ['_hidden:_port', '_hidden'],
  ['', ''],
  [' 203.0.113.1:1 ,10.0.0.1:2,\t[fd00::1]:3', '203.0.113.1, 10.0.0.1, fd00::1'],
])('STK-34: %j tells of %j', (forwardedFor, addresses) => {
  expect(addressesAlone(forwardedFor)).toBe(addresses);
});
