import type { ModelId } from '../catalog/model-list.js';
import type { HeldBody } from './held-body.js';
import { type Asked, withModel } from './asked.js';
import { lengthOf } from './pieces.js';

/** Up to this size a copy costs less than a write of its own. */
const MAX_COPIED_BYTES = 16_384;

/** A body as the dispatcher takes it. */
export type UpstreamBody = Buffer | LargeBody;

/** The client's bytes with `model` in the place of its own; its bytes as they are where it names that model itself. */
export function upstreamBody(held: HeldBody, asked: Asked, model: ModelId): UpstreamBody {
  if (held.length > MAX_COPIED_BYTES) return new LargeBody(held, asked, model);
  const [first, ...others] = held.pieces;
  if (first && others.length === 0 && model !== asked.model)
    return spliced(first, asked, JSON.stringify(model));
  return Buffer.concat(withModel(held.pieces, asked, model));
}

/** What most requests are: small, and in one piece. */
function spliced(body: Buffer, { start, end }: Asked, value: string): Buffer {
  const copy = Buffer.allocUnsafe(start + Buffer.byteLength(value) + body.length - end);
  body.copy(copy, 0, 0, start);
  body.copy(copy, start + copy.write(value, start), end);
  return copy;
}

/**
 * A body in pieces of the client's own bytes. It does not hold them itself: the dispatcher keeps a request's
 * body until the answer has ended, which can take minutes, while the bytes are released at the commit, or when they
 * have been taken, if an upstream answers before.
 */
export class LargeBody implements Iterable<Buffer> {
  readonly length: number;

  constructor(
    private readonly held: HeldBody,
    private readonly asked: Asked,
    private readonly model: ModelId,
  ) {
    this.length = lengthOf(this.pieces());
  }

  [Symbol.iterator](): Iterator<Buffer> {
    return this.held.upload(this.pieces());
  }

  private pieces(): readonly Buffer[] {
    return joinShort(withModel(this.held.pieces, this.asked, this.model));
  }
}

/** Each piece is a write of its own, so short neighbours are joined. */
function joinShort(pieces: readonly Buffer[]): Buffer[] {
  const joined: Buffer[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (last && last.length + piece.length <= MAX_COPIED_BYTES)
      joined.splice(-1, 1, Buffer.concat([last, piece]));
    else joined.push(piece);
  }
  return joined;
}
