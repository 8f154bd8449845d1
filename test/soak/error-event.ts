/** How much of an error event can be the same as what the upstream would have sent: `\n\ndata: {"`. */
const MOST_ALIKE = 10;

/** Whether `bytes` are the first ones of `whole`, or all. */
export function isBeginning(bytes: Buffer, whole: Buffer): boolean {
  return whole.subarray(0, bytes.length).equals(bytes);
}

/** The error event, or the beginning of it, that is all there is behind some beginning of `whole`. */
export function eventBehind(whole: Buffer, bytes: Buffer): string | undefined {
  const alike = lengthAlike(whole, bytes);
  for (let at = Math.max(0, alike - MOST_ALIKE); at <= alike; at += 1) {
    const rest = bytes.toString('utf8', at);
    if (/^(?:\n\n)?data: \{"e/.test(rest)) return rest;
  }
  return undefined;
}

/** The code of the complete error event that is all there is behind some beginning of `whole`. */
export function errorBehind(whole: Buffer, bytes: Buffer): string | undefined {
  const event = eventBehind(whole, bytes) ?? '';
  const [, json] = /^(?:\n\n)?data: (\{"error":\{[^\n]*\}\})\n\n$/.exec(event) ?? [];
  if (json === undefined) return undefined;
  const { error } = JSON.parse(json) as { error: { code: string } };
  return error.code;
}

function lengthAlike(one: Buffer, other: Buffer): number {
  const shorter = Math.min(one.length, other.length);
  if (one.compare(other, 0, shorter, 0, shorter) === 0) return shorter;
  let at = 0;
  while (one[at] === other[at]) at += 1;
  return at;
}
