import { describe, expect, test } from '@jest/globals';
import { allowsOrigin, originSpelling } from './origins.js';

describe('origins', () => {
  test.each([
    'https://app.example',
    'http://localhost:5173',
    'http://127.0.0.1:8080',
    'http://[::1]:3000',
    'https://xn--bcher-kva.example',
    'app://obsidian.md',
    'app://.',
    'tauri://localhost',
    'capacitor://localhost',
    'ionic://localhost',
    'chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn',
    'moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc',
    'vscode-webview://0ue3kpgcjh0hjkqfuv2pfnhqtrrkqhkq',
    'file://',
    'https://*.example.com',
    'https://*.example.com:8443',
    'http://*.localhost:3000',
    'app://*.example',
  ])('CFG-53: %s is spelled as it is sent', (text) => {
    expect(originSpelling(text)).toBe(text);
  });

  test.each([
    ['https://app.example/', 'https://app.example'],
    ['https://app.example/chat/', 'https://app.example'],
    ['https://app.example?a=1#b', 'https://app.example'],
    ['https://App.Example', 'https://app.example'],
    ['HTTPS://app.example', 'https://app.example'],
    ['https://app.example:443', 'https://app.example'],
    ['http://app.example:80/', 'http://app.example'],
    ['http://app.example:08080', 'http://app.example:8080'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['http://[0:0:0:0:0:0:0:1]:3000', 'http://[::1]:3000'],
    ['http://127.1', 'http://127.0.0.1'],
    ['https://me:hunter2@app.example', 'https://app.example'],
    ['app://obsidian.md/', 'app://obsidian.md'],
    ['app://Obsidian.md', 'app://obsidian.md'],
    ['Tauri://LocalHost', 'tauri://localhost'],
    ['file:///home/me/page.html', 'file://'],
    ['https://*.Example.com/', 'https://*.example.com'],
    ['https://*.example.com:443', 'https://*.example.com'],
  ])('CFG-53: %s has to be %s', (text, spelling) => {
    expect(originSpelling(text)).toBe(spelling);
  });

  test.each([
    'app.example',
    'localhost:3000',
    '//app.example',
    'null',
    '*',
    '*.example.com',
    'https://',
    'https://*',
    'https://*.',
    'https://app.*.com',
    'https://*.*.example.com',
    'https://*app.example',
    'https://app.example:http',
    'https://app.example:70000',
    'http://*.127.0.0.1',
    'http://*.[::1]',
    'https:app.example',
    'mailto:me@app.example',
    'app://',
  ])('CFG-53: %s is none', (text) => {
    expect(originSpelling(text)).toBeUndefined();
  });
});

describe('what is allowed', () => {
  const BELOW = 'https://*.example.com';

  test.each([
    ['https://app.example', 'https://app.example', true],
    ['https://app.example', 'https://APP.example', false],
    ['https://app.example', 'HTTPS://app.example', false],
    ['https://app.example', 'https://app.example:444', false],
    ['https://app.example', 'http://app.example', false],
    ['app://obsidian.md', 'app://obsidian.md', true],
    // WebKit leaves the letters of such a host as they are.
    ['safari-web-extension://5ae26f91-4bd1', 'safari-web-extension://5AE26F91-4BD1', true],
    ['app://obsidian.md', 'https://obsidian.md', false],
    ['file://', 'file://', true],
    ['file://', 'null', false],
    [BELOW, 'https://a.example.com', true],
    [BELOW, 'https://a.b-c.example.com', true],
    [BELOW, 'https://example.com', false],
    [BELOW, 'https://.example.com', false],
    [BELOW, 'https://aexample.com', false],
    [BELOW, 'http://a.example.com', false],
    [BELOW, 'https://a.example.com:8443', false],
    [BELOW, 'https://a.example.com.evil.test', false],
    [BELOW, 'https://evil.test/.example.com', false],
    [BELOW, 'https://evil.test:80.example.com', false],
    [BELOW, 'https://me@a.example.com', false],
    ['http://*.localhost:3000', 'http://a.localhost:3000', true],
    ['http://*.localhost:3000', 'http://a.localhost:3001', false],
    ['app://*.example', 'app://A.example', true],
  ])('HDR-27: %s and %s: %j', (entry, origin, isAllowed) => {
    expect(allowsOrigin(['https://other.example', entry], origin)).toBe(isAllowed);
  });
});
