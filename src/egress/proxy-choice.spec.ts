import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../config/config.js';
import { proxyChoice } from './proxy-choice.js';

/** The host of the proxy on the way to a URL. */
function proxyTo(url: string, env: Readonly<Record<string, string>>): string | undefined {
  const { protocol, hostname, port } = new URL(url);
  const choose = proxyChoice(loadConfig(env).egress);
  // As undici names destinations.
  return choose({ protocol, port, hostname: hostname.replace(/^\[(.*)\]$/, '$1') })?.hostname;
}

describe('which proxy', () => {
  const both = { HTTPS_PROXY: 'http://for-https.example', HTTP_PROXY: 'http://for-http.example' };

  test.each([
    ['https://a.example', both, 'for-https.example'],
    ['http://a.example', both, 'for-http.example'],
    ['http://a.example:443', both, 'for-http.example'],
    ['https://a.example', { HTTP_PROXY: both.HTTP_PROXY }, undefined],
    ['http://a.example', { HTTPS_PROXY: both.HTTPS_PROXY }, undefined],
    ['https://a.example', {}, undefined],
  ])('CFG-39: to %s with %j', (url, env, proxy) => {
    expect(proxyTo(url, env)).toBe(proxy);
  });
});

describe('NO_PROXY', () => {
  test.each([
    // Names
    ['a.example', 'https://a.example', true],
    ['a.example', 'https://x.y.a.example:8443', true],
    ['a.example', 'https://ba.example', false],
    ['a.example', 'https://example', false],
    ['a.example', 'https://a.example.net', false],
    ['A.Example', 'https://a.eXample', true],
    ['a.example.', 'https://a.example', true],
    ['a.example', 'https://a.example.', true],
    ['.a.example', 'https://a.example', true],
    ['.a.example', 'https://x.a.example', true],
    ['.a.example', 'https://xa.example', false],
    ['*.a.example', 'https://x.a.example', true],
    ['*.a.example', 'https://b.example', false],
    ['localhost', 'http://localhost:8080', true],
    // Ports
    ['a.example:443', 'https://a.example', true],
    ['a.example:443', 'https://a.example:8443', false],
    ['a.example:80', 'http://a.example', true],
    ['a.example:80', 'https://a.example', false],
    ['.a.example:8443', 'https://x.a.example:8443', true],
    // Everything
    ['*', 'https://a.example', true],
    ['*', 'http://[::1]:81', true],
    ['*:443', 'https://a.example', true],
    ['*:443', 'http://a.example', false],
    // Addresses
    ['127.0.0.1', 'http://127.0.0.1:8080', true],
    ['127.0.0.1:8080', 'http://127.0.0.1:8080', true],
    ['127.0.0.1:8080', 'http://127.0.0.1:8081', false],
    ['7.0.0.1', 'http://127.0.0.1', false],
    ['0.0.1', 'http://127.0.0.1', false],
    ['::1', 'http://[::1]:8080', true],
    ['0:0:0:0:0:0:0:1', 'http://[::1]', true],
    ['[::1]', 'http://[::1]:8080', true],
    ['[::1]:8080', 'http://[::1]:8080', true],
    ['[::1]:8080', 'http://[::1]:8081', false],
    ['::1', 'http://127.0.0.1', false],
    // Networks
    ['10.0.0.0/8', 'https://10.1.2.3', true],
    ['10.0.0.0/8', 'https://11.1.2.3', false],
    ['10.0.0.0/8:443', 'https://10.1.2.3', true],
    ['10.0.0.0/8:443', 'http://10.1.2.3', false],
    ['0.0.0.0/0', 'https://10.1.2.3', true],
    ['10.0.0.0/8', 'https://a.example', false],
    ['fd00::/8', 'https://[fd12::1]', true],
    ['fd00::/8', 'https://[fe80::1]', false],
    ['[fd00::/8]:443', 'https://[fd12::1]', true],
    // Lists
    ['b.example, a.example', 'https://a.example', true],
    ['b.example a.example', 'https://a.example', true],
    ['b.example,, *', 'https://a.example', true],
    // What is not said, and what makes no sense
    ['b.example', 'http://localhost', false],
    ['b.example', 'http://127.0.0.1', false],
    ['10.0.0.0/33', 'https://10.0.0.1', false],
    ['10.0.0.0/8/8', 'https://10.0.0.1', false],
    ['10.0.0.0/', 'https://10.0.0.0', false],
    ['10.0.0.1-10.0.0.9', 'https://10.0.0.1', false],
    ['https://a.example', 'https://a.example', false],
    ['a.example:https', 'https://a.example', false],
    ['. : [] *. :443', 'https://a.example', false],
  ])('CFG-40: %s and %s', (noProxy, url, isExempt) => {
    const env = { HTTPS_PROXY: 'http://proxy', HTTP_PROXY: 'http://proxy', NO_PROXY: noProxy };
    expect(proxyTo(url, env)).toBe(isExempt ? undefined : 'proxy');
  });
});
