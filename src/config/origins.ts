/** The schemes whose origins browsers spell in one way: host in lower case, in ASCII, without the scheme's own port. */
const WEB = /^https?$/i;

/**
 * An origin as clients send it, or `scheme://*.host` for all hosts below one.
 *
 * @returns what the text has to be for it to match anything; `undefined` for what is no origin at all.
 */
export function originSpelling(text: string): string | undefined {
  const [, scheme = '', below = '', rest = ''] =
    /^([a-z][a-z\d+.-]*):\/\/(\*\.)?([^/\\?#]*)/i.exec(text) ?? [];
  // What Android's web views send for files. Browsers send null.
  if (/^file$/i.test(scheme)) return 'file://';
  const url = URL.parse(`${scheme}://${rest}`);
  if (!url || url.host === '' || url.host.includes('*')) return undefined;
  // No address has hosts below it.
  if (below !== '' && /[\d\]]$/.test(url.hostname)) return undefined;
  return `${url.protocol}//${below}${url.host.toLowerCase()}`;
}

/**
 * @param allowed origins as {@link originSpelling} has them
 * @param origin as it was sent
 */
export function allowsOrigin(allowed: readonly string[], origin: string): boolean {
  const [scheme = ''] = origin.split(':', 1);
  // How apps and extensions spell a host is their own matter.
  const spelled = WEB.test(scheme) ? origin : origin.toLowerCase();
  return allowed.some((entry) => entry === spelled || isBelow(entry, spelled));
}

function isBelow(entry: string, origin: string): boolean {
  const star = entry.indexOf('*.');
  if (star === -1) return false;
  const [before, after] = [entry.slice(0, star), entry.slice(star + 1)];
  if (!origin.startsWith(before) || !origin.endsWith(after)) return false;
  return /^[^/:@]+$/.test(origin.slice(before.length, -after.length));
}
