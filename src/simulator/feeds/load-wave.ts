import { fraction, hash } from '../seeded.js';

/** Utilization of a chute over time: `ago` in ticks back from now. */
export type LoadWave = (ago: number) => number;

/** A slow wave of the chute's own period around `middle`, with a little unrest on it. */
export function loadWave(key: string, middle: number, tick: number): LoadWave {
  const pulse = (2 * Math.PI) / (15 + 30 * fraction(`period ${key}`));
  const phase = 2 * Math.PI * fraction(`phase ${key}`);
  const salt = hash(`unrest ${key}`);
  return (ago) => {
    const at = tick - ago;
    // Hashing a text for each sample of each row would make the feed a hundred times slower.
    const mixed = Math.imul(salt ^ Math.imul(at, 0x9e3779b1), 0x85ebca6b) >>> 0;
    const unrest = 0.06 * (mixed / 2 ** 32 - 0.5);
    return Math.max(0, middle + 0.18 * Math.sin(at * pulse + phase) + unrest);
  };
}

/** The mean of the last `ticks`, from at most about twenty samples. */
export function meanOf(load: LoadWave, ticks: number): number {
  const step = Math.max(1, Math.floor(ticks / 10));
  let sum = 0;
  let count = 0;
  for (let ago = 0; ago < ticks; ago += step) {
    sum += load(ago);
    count += 1;
  }
  return sum / count;
}
