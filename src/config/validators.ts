import { isIP } from 'node:net';
import { ValidateBy, type ValidationArguments } from 'class-validator';
import { originSpelling } from './origins.js';
import { parseProxyUrl } from './proxy-url.js';

/** Node fires a timer with a longer delay at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Stands for a URL where there is to be none. */
export const OFF = 'off';
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** @param advice on a value that does not hold. It must not repeat what may be a secret. */
function rule(
  expectation: string,
  holds: (value: unknown, object: object) => boolean,
  advice: (value: unknown) => string = () => '',
): PropertyDecorator {
  return ValidateBy({
    name: expectation,
    validator: {
      validate: (value, args?: ValidationArguments) => holds(value, args?.object ?? {}),
      // The value itself is left out: it may hold credentials.
      defaultMessage: (args?: ValidationArguments) =>
        `${args?.property} must be ${expectation}${advice(args?.value)}`,
    },
  });
}

export function WholeNumber({ min = 1, max = MAX_TIMER_MS } = {}): PropertyDecorator {
  return rule(
    `a whole number from ${min} to ${max}`,
    (value) => typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max,
  );
}

export function IsBoolean(): PropertyDecorator {
  return rule('true or false', (value) => typeof value === 'boolean');
}

export function IsHttpUrl({ isOptional = false } = {}): PropertyDecorator {
  return rule(
    'an http or https URL without credentials and fragment',
    (value) => (isOptional && value === '') || isHttpUrl(value),
  );
}

export function IsRatio(): PropertyDecorator {
  return rule('a number from 0 to 1', (value) => /^(?:0?\.\d+|[01]|0\.|1\.0*)$/.test(String(value)));
}

export function IsHttpUrlOrOff(): PropertyDecorator {
  return rule(
    'an http or https URL without credentials and fragment, or off',
    (value) => value === OFF || isHttpUrl(value),
  );
}

/** Paths are added to it, so that a query has no place in it. */
export function IsBaseUrl({ canBeOff = false } = {}): PropertyDecorator {
  return rule(
    `an http or https URL without credentials, query and fragment${canBeOff ? ', or off' : ''}`,
    (value) => (canBeOff && value === OFF) || (isHttpUrl(value) && URL.parse(String(value))?.search === ''),
  );
}

function isHttpUrl(value: unknown): boolean {
  const url = URL.parse(String(value));
  return url !== null && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.hash;
}

export function IsProxyUrl(): PropertyDecorator {
  return rule(
    'an http or https URL without path, query and fragment, such as http://user:password@proxy.example:3128 or proxy.example:3128',
    (value) => value === '' || isProxyUrl(String(value)),
  );
}

function isProxyUrl(text: string): boolean {
  const url = parseProxyUrl(text);
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash) return false;
  return url.pathname === '/' && [url.username, url.password].every(isDecodable);
}

export function IsListenAddress(): PropertyDecorator {
  return rule('host:port or [v6]:port', (value) => splitListenAddress(String(value)) !== undefined);
}

/** Not set, or an address at which one can listen while listening at another variable's. */
export function IsFurtherListenAddress(other: string): PropertyDecorator {
  return rule(`host:port or [v6]:port, and another address than ${other}`, (value, object) => {
    const address = splitListenAddress(String(value));
    if (value === '' || address === undefined) return value === '';
    const [, theirs] = Object.entries(object).find(([name]) => name === other) ?? [];
    return !clash(address, splitListenAddress(String(theirs)));
  });
}

const EVERY_HOST: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

function clash(a: ListenAddress, b: ListenAddress | undefined): boolean {
  if (a.port !== b?.port || a.port === 0) return false;
  return a.host === b.host || EVERY_HOST.has(a.host) || EVERY_HOST.has(b.host);
}

export function IsHeaderName(): PropertyDecorator {
  return rule('a header name', (value) => HEADER_NAME.test(String(value)));
}

export function IsStatusList(): PropertyDecorator {
  return rule('a comma-separated list of statuses from 400 to 599 without 429', (value) =>
    splitList(String(value)).every((item) => /^[45]\d\d$/.test(item) && item !== '429'),
  );
}

export function IsOriginList(): PropertyDecorator {
  return rule(
    '* alone or a comma-separated list of origins such as https://app.example, app://obsidian.md or https://*.example.com',
    (value) => value === '*' || splitList(String(value)).every((item) => originSpelling(item) === item),
    (value) => splitList(String(value)).map(originAdvice).join(''),
  );
}

function originAdvice(item: string, index: number): string {
  const spelling = originSpelling(item);
  if (item === 'null') return `; null, which any page can make its origin, is allowed by * alone`;
  return spelling === undefined || spelling === item ? '' : `; entry ${index + 1} has to be ${spelling}`;
}

/** Another variable's value with which this one is needed. */
type Need = { readonly neededWith: readonly [name: string, value: string | boolean] };

function neededRule(expectation: string, need: Need, holds: (text: string) => boolean): PropertyDecorator {
  const [name, needing] = need.neededWith;
  return rule(`${expectation}, and is needed with ${name}=${String(needing)}`, (value, object) => {
    const isNeeded = Object.entries(object).some(([other, its]) => other === name && its === needing);
    const text = String(value);
    return splitList(text).length === 0 ? !isNeeded : holds(text);
  });
}

export function IsCidrList(need: Need): PropertyDecorator {
  return neededRule('a comma-separated list of addresses or networks such as 10.0.0.0/8', need, (text) =>
    splitList(text).every(isNetwork),
  );
}

export function IsRedisUrl(need: Need): PropertyDecorator {
  return neededRule(
    'a redis or rediss URL such as redis://user:password@redis.example:6379/0',
    need,
    isRedisUrl,
  );
}

function isRedisUrl(text: string): boolean {
  const url = URL.parse(text);
  if (!url || !/^rediss?:$/.test(url.protocol) || !url.hostname || url.search || url.hash) return false;
  return /^(?:\/\d{0,9})?$/.test(url.pathname) && [url.username, url.password].every(isDecodable);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

export function IsSharedSecret(need: Need): PropertyDecorator {
  return neededRule('the same secret in all replicas', need, () => true);
}

function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return (
    prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128))
  );
}

export function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export function splitListenAddress(text: string): ListenAddress | undefined {
  const [, v6, name, port] = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = v6 ?? name;
  if (host === undefined || Number(port) > 65_535 || (v6 !== undefined && isIP(v6) !== 6)) return undefined;
  return { host, port: Number(port) };
}
