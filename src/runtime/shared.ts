/** Something that takes a while to make, made anew only for those who come later than so many milliseconds after it was begun. */
export class Shared<T> {
  private last: { readonly value: Promise<T>; readonly begunAtMs: number; isPending: boolean } | undefined;

  constructor(
    private readonly make: () => Promise<T>,
    private readonly maxAgeMs: number,
  ) {}

  /** Whoever comes while it is being made waits for the same. What failed is not kept. @param nowMs of a monotonic clock */
  async get(nowMs: number): Promise<T> {
    const { last } = this;
    if (last && (last.isPending || nowMs - last.begunAtMs < this.maxAgeMs)) return last.value;
    const value = this.make();
    const next = { value, begunAtMs: nowMs, isPending: true };
    this.last = next;
    try {
      return await value;
    } catch (error) {
      this.last = undefined;
      throw error;
    } finally {
      next.isPending = false;
    }
  }
}
