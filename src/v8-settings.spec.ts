import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { V8_SETTINGS } from './v8-settings.js';

/** Each option with its type and default, as V8 lists them. */
const options = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8', maxBuffer: 2 ** 24 });

test.each(V8_SETTINGS)('PRJ-22: V8 knows %s, and does not have it so by itself', (setting) => {
  const [name = '', value = 'true'] = setting.split('=');
  const [, negated, fallback = negated ? 'false' : 'true'] =
    new RegExp(`^ +${name} .*\\n.*default: --(no-)?[^=\\n]+(?:=(.+))?$`, 'm').exec(options) ?? [];
  expect(options).toContain(`${name} (`);
  expect(fallback).not.toBe(value);
});

test.each(V8_SETTINGS)('PRJ-22: %s can be set in a running process without a word', (setting) => {
  const script = `require('node:v8').setFlagsFromString(${JSON.stringify(setting)})`;
  const said = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8', stdio: 'pipe' });
  expect(said).toBe('');
});
