/** What something fails with; fails where it succeeds. */
export async function thrownBy(answer: PromiseLike<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await answer;
  } catch (error) {
    return error;
  }
  throw new Error(`It succeeded: ${JSON.stringify(value)}`);
}

/** The same, where it must be of one class. */
export async function failureOf<T>(
  answer: PromiseLike<unknown>,
  kind: abstract new (...args: never) => T,
): Promise<T> {
  const error = await thrownBy(answer);
  if (error instanceof kind) return error;
  throw error;
}
