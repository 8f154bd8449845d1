import { getCACertificates, setDefaultCACertificates } from 'node:tls';

const TRUSTED = getCACertificates('default');

/** The certificates that Node trusts beside its own, as `NODE_EXTRA_CA_CERTS` would set them at its start. */
export function trust(...certificates: readonly string[]): void {
  setDefaultCACertificates([...TRUSTED, ...certificates]);
}
