import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** A key and a certificate, made afresh so that none has to be kept. */
export interface SelfSigned {
  /** PEM. */
  readonly key: string;
  /** PEM; where nobody else has signed it, also what a client has to trust. */
  readonly cert: string;
}

/** A certificate authority that nobody knows yet. */
export interface PrivateAuthority {
  /** PEM; what a client has to trust. */
  readonly cert: string;
  /** A key and a certificate for a host and the loopback addresses. */
  issue(host: string): SelfSigned;
}

interface Party {
  readonly name: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const HOUR_MS = 3_600_000;

/** For `localhost` and the loopback addresses. @param now start of the validity, which lasts a day to either side */
export function selfSigned(now: Date): SelfSigned {
  const server = party('localhost');
  return { key: keyOf(server), cert: certificate(server, server, now, altNames(server.name)) };
}

/** @param now start of the validity, which lasts a day to either side */
export function privateAuthority(now: Date): PrivateAuthority {
  // Two of one name would be taken for each other.
  const authority = party(`Private authority ${randomBytes(4).toString('hex')}`);
  return {
    cert: certificate(authority, authority, now, IS_AUTHORITY),
    issue(host) {
      const server = party(host);
      return { key: keyOf(server), cert: certificate(server, authority, now, altNames(host)) };
    },
  };
}

function party(name: string): Party {
  return { name, ...generateKeyPairSync('ec', { namedCurve: 'prime256v1' }) };
}

function keyOf({ privateKey }: Party): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' });
}

function certificate(subject: Party, issuer: Party, now: Date, extension: Buffer): string {
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const validity = sequence(
    time(new Date(now.getTime() - 24 * HOUR_MS)),
    time(new Date(now.getTime() + 24 * HOUR_MS)),
  );
  const version3 = der(0xa0, der(0x02, Buffer.from([2])));
  const serial = der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)]));
  const publicKeyInfo = subject.publicKey.export({ type: 'spki', format: 'der' });
  const body = sequence(
    version3,
    serial,
    algorithm,
    nameOf(issuer),
    validity,
    nameOf(subject),
    publicKeyInfo,
    der(0xa3, sequence(extension)),
  );
  const signature = der(0x03, Buffer.concat([Buffer.alloc(1), sign('sha256', body, issuer.privateKey)]));
  return pem(sequence(body, algorithm, signature));
}

function nameOf({ name }: Party): Buffer {
  return sequence(der(0x31, sequence(oid(COMMON_NAME), der(0x0c, Buffer.from(name)))));
}

function altNames(host: string): Buffer {
  const names = sequence(
    der(0x82, Buffer.from(host)),
    der(0x87, Buffer.from([127, 0, 0, 1])),
    der(0x87, Buffer.concat([Buffer.alloc(15), Buffer.from([1])])),
  );
  return sequence(oid(SUBJECT_ALT_NAME), der(0x04, names));
}

// The contents of DER object identifiers: 1.2.840.10045.4.3.2, 2.5.4.3, 2.5.29.17, 2.5.29.19.
const ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const COMMON_NAME = [0x55, 0x04, 0x03];
const SUBJECT_ALT_NAME = [0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS = [0x55, 0x1d, 0x13];

function oid(content: readonly number[]): Buffer {
  return der(0x06, Buffer.from(content));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

/** A UTCTime, good until 2049. */
function time(date: Date): Buffer {
  return der(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replaceAll(/[-T:]/g, '')}Z`));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

function pem(content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

const TRUE = der(0x01, Buffer.from([0xff]));
/** Critical, as it has to be. */
const IS_AUTHORITY = sequence(oid(BASIC_CONSTRAINTS), TRUE, der(0x04, sequence(TRUE)));
