import { type Step, whole } from './step.ts';

const EVENT = `data: ${'x'.repeat(8_178)}\n\n`;
const EVENTS = 1_500;
const BODY = Buffer.from(`${EVENT.repeat(EVENTS)}data: [DONE]\n\n`);
const PIECE = 65_536;

/** An event stream of 12 MB: more than all the buffers between the upstream and a client that does not read. */
export const TORRENT: Step = {
  name: 'torrent',
  promise: () => whole(200, BODY),
  run: async (exchange) => {
    exchange.begin(200, { 'content-type': 'text/event-stream' });
    for (let at = 0; at < BODY.length; at += PIECE) await exchange.write(BODY.subarray(at, at + PIECE));
    await exchange.end();
  },
};
