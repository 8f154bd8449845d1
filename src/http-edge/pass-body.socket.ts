import type { IncomingMessage } from 'node:http';
import { countReadStep } from '../runtime/turn-limit.timer.js';

/**
 * A body that nobody reads would pause the connection while a pipelined answer waits for the one before it, and then nobody
 * would see the client leave. It is work all the same: it may come in pieces of one byte.
 */
export function letBodyPass(request: IncomingMessage): void {
  request.on('data', countReadStep);
}
