/**
 * Does something and keeps this process from anything else for so long. Timers that are due then fire before what
 * has come over connections is read.
 */
export async function standStillAfter(act: () => Promise<unknown>, ms: number): Promise<void> {
  // From here on, timers have their turn before connections do.
  await new Promise((resolve) => setImmediate(resolve));
  await act();
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}
