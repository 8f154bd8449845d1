import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What the kernel has not taken yet. Without the handle's own count a large write would seem to stand still until its end. */
export function bytesWaiting({ socket, writableLength }: ServerResponse): number {
  const { _handle: handle } = socket as Socket & {
    readonly _handle?: { readonly writeQueueSize: number } | null;
  };
  return writableLength + (handle?.writeQueueSize ?? 0);
}
