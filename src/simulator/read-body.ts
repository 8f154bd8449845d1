import type { IncomingMessage } from 'node:http';

/**
 * Reads a whole body; calls back once, or never when the client breaks off.
 *
 * @param done given undefined when the body has more than `maxBytes`, of which no more are kept
 */
export function readBody(
  incoming: IncomingMessage,
  maxBytes: number,
  done: (body: Buffer | undefined) => void,
): void {
  const pieces: Buffer[] = [];
  let length = 0;
  incoming.on('data', (piece: Buffer) => {
    length += piece.length;
    if (length <= maxBytes) {
      pieces.push(piece);
    }
  });
  incoming.on('end', () => {
    const [only] = pieces;
    done(length > maxBytes ? undefined : pieces.length === 1 ? only : Buffer.concat(pieces));
  });
}
