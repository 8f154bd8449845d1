import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A key and a certificate for `localhost` and the loopback addresses, made afresh so that none has to be kept. */
export interface SelfSigned {
  /** PEM. */
  readonly key: string;
  /** PEM; also what a client has to trust. */
  readonly cert: string;
}

const HOUR_MS = 3_600_000;

/** @param now start of the validity, which lasts a day to either side */
export function selfSigned(now: Date): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const name = sequence(der(0x31, sequence(oid(COMMON_NAME), der(0x0c, Buffer.from('localhost')))));
  const validity = sequence(
    time(new Date(now.getTime() - 24 * HOUR_MS)),
    time(new Date(now.getTime() + 24 * HOUR_MS)),
  );
  const altNames = sequence(
    der(0x82, Buffer.from('localhost')),
    der(0x87, Buffer.from([127, 0, 0, 1])),
    der(0x87, Buffer.concat([Buffer.alloc(15), Buffer.from([1])])),
  );
  const extensions = der(0xa3, sequence(sequence(oid(SUBJECT_ALT_NAME), der(0x04, altNames))));
  const version3 = der(0xa0, der(0x02, Buffer.from([2])));
  const serial = der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)]));
  const publicKeyInfo = publicKey.export({ type: 'spki', format: 'der' });
  const body = sequence(version3, serial, algorithm, name, validity, name, publicKeyInfo, extensions);
  const signature = der(0x03, Buffer.concat([Buffer.alloc(1), sign('sha256', body, privateKey)]));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: pem(sequence(body, algorithm, signature)),
  };
}

// The contents of DER object identifiers: 1.2.840.10045.4.3.2, 2.5.4.3, 2.5.29.17.
const ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const COMMON_NAME = [0x55, 0x04, 0x03];
const SUBJECT_ALT_NAME = [0x55, 0x1d, 0x11];

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
