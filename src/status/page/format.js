/** A span of time in words, short. @param {number} ms */
export function span(ms) {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 3_600_000)} h`;
}

/** How long ago, to the second. @param {number | null} ms */
export function ago(ms) {
  if (ms === null) return 'never loaded';
  return ms < 1_000 ? 'just now' : `${ms < 60_000 ? `${Math.floor(ms / 1_000)} s` : span(ms)} ago`;
}

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** @param {number} count */
export function tokens(count) {
  return count < 1_000 ? String(count) : `${Math.round(count / 1_024)}k`;
}

/** @param {number} share 1 at full use */
export function percent(share) {
  return `${Math.round(share * 100)} %`;
}

/** @param {number} usd */
export function dollars(usd) {
  return `$${usd < 10 ? usd.toFixed(2) : usd.toFixed(0)}`;
}

/** @param {number} value */
export function figure(value) {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

/** @param {Date} date */
export function clock(date) {
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

/** @param {number} count @param {string} one @param {string} [many] */
export function counted(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}

/** `a`, `a and b`, `a, b and c`. @param {readonly string[]} words */
export function listed(words) {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/**
 * The points of a small line as SVG's paths have them, one for each stretch without a gap. Its right end is now.
 *
 * @param {readonly (number | null)[]} points oldest first
 * @param {{ width: number, height: number, top: number, slots: number }} box `top` is the value at the upper edge
 */
export function linePath(points, { width, height, top, slots }) {
  const step = (width - 2) / (slots - 1);
  const first = slots - points.length;
  let path = '';
  let isDrawing = false;
  points.forEach((point, n) => {
    if (point === null) {
      isDrawing = false;
      return;
    }
    const x = (1 + (first + n) * step).toFixed(1);
    const y = (height - 1 - Math.min(1, point / top) * (height - 2)).toFixed(1);
    path += `${isDrawing ? 'L' : 'M'}${x} ${y}`;
    // A point that stands alone shows as a dot, since the line's ends are round.
    if (!isDrawing && (points[n + 1] ?? null) === null) path += `L${x} ${y}`;
    isDrawing = true;
  });
  return path;
}
