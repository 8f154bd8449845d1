/** FNV-1a with a final mix: the same text gives the same unsigned 32 bits, for ever and everywhere. */
export function hash(text: string): number {
  let bits = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    bits = Math.imul(bits ^ text.charCodeAt(index), 0x01000193);
  }
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** A number in [0, 1) that only `text` decides. */
export function fraction(text: string): number {
  return hash(text) / 2 ** 32;
}

/** `digits` lower-case hexadecimal digits that only `text` decides. */
export function hex(text: string, digits: number): string {
  let out = '';
  for (let part = 0; out.length < digits; part += 1) {
    out += hash(`${text}#${part}`).toString(16).padStart(8, '0');
  }
  return out.slice(0, digits);
}

/** A UUID of version 5's shape that only `text` decides, as Chutes derives its ids from names. */
export function uuid(text: string): string {
  const digits = hex(text, 32);
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `5${digits.slice(13, 16)}`,
    `a${digits.slice(17, 20)}`,
    digits.slice(20),
  ].join('-');
}
