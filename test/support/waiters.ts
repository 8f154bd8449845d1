const WITHIN_MS = 25_000;

/** Those who wait until something holds, and look again whenever they are woken. */
export class Waiters {
  readonly #checks = new Set<() => void>();

  get count(): number {
    return this.#checks.size;
  }

  wake(): void {
    for (const check of this.#checks) check();
  }

  /**
   * Fails with what `holds` throws, or after a generous while.
   *
   * @param what names it in the error, which is written only then
   */
  async until(holds: () => boolean, what: () => string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = () => {
      try {
        if (holds()) resolve();
      } catch (error) {
        reject(error);
      }
    };
    const timer = setTimeout(
      () => reject(new Error(`It did not come within ${WITHIN_MS} ms: ${what()}`)),
      WITHIN_MS,
    );
    this.#checks.add(check);
    check();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#checks.delete(check);
    }
  }
}
