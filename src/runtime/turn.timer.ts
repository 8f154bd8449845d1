export interface TurnListener {
  onEndOfTurn(): void;
}

let waiting: TurnListener[] = [];

/**
 * Waits for the end of this turn of the event loop, when every connection that was ready has been read. Whoever waits for it goes
 * on one right after the other: under load, code that many requests run in a row is still in the processor's caches.
 */
export function awaitEndOfTurn(listener: TurnListener): void {
  if (waiting.push(listener) === 1) setImmediate(tellAll);
}

function tellAll(): void {
  const told = waiting;
  waiting = [];
  for (const listener of told) listener.onEndOfTurn();
}
