/**
 * Which names do not occur as often as their share of the whole says, within four standard deviations of a binomial distribution, each in
 * words; and which occur without a share.
 *
 * @param shares need not sum up to 1
 */
export function disproportions(
  found: readonly (string | null)[],
  shares: Readonly<Record<string, number>>,
): readonly string[] {
  const sum = Object.values(shares).reduce((a, b) => a + b, 0);
  const strangers = found.filter((name) => name === null || !(name in shares));
  const uneven = Object.entries(shares).flatMap(([name, part]) => {
    const share = part / sum;
    const count = found.filter((one) => one === name).length;
    const expected = found.length * share;
    const deviation = Math.sqrt(expected * (1 - share));
    return count > 0 && Math.abs(count - expected) < 4 * deviation
      ? []
      : [`${name}: ${count}, not ${expected}`];
  });
  return [...uneven, ...new Set(strangers.map((name) => `${name}: no share`))];
}
