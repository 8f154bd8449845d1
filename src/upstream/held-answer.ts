import type { Holder, Loan, MemoryBudget } from '../runtime/memory-budget.js';
import type { AnswerGate, Finding } from './answer-gate.js';

/** So many small pieces are joined: each costs more than its bytes. */
const JOINED_PIECES = 256;

/** What has come of an answer and nobody takes yet; and, while its choice is open, whoever reads it. */
export class HeldAnswer {
  private pieces: Buffer[] = [];
  /** How many of them are joined ones. */
  private joined = 0;
  private heldBytes = 0;
  private gate: AnswerGate | undefined;
  private found: Finding | undefined;
  /** Of the memory that it takes until it is chosen. */
  private loan: Loan | undefined;

  get bytes(): number {
    return this.heldBytes;
  }

  /** Whether it is being read, and not chosen yet. */
  get isUndecided(): boolean {
    return this.gate !== undefined;
  }

  /** What was found by whoever read it. */
  get finding(): Finding | undefined {
    return this.found;
  }

  /** From now on it is read. */
  readBy(gate: AnswerGate): void {
    this.gate = gate;
  }

  /** @returns whether it has been read far enough with this. */
  push(piece: Buffer): boolean {
    this.pieces.push(piece);
    this.heldBytes += piece.length;
    if (this.pieces.length - this.joined > JOINED_PIECES) this.join();
    const finding = this.gate?.push(piece);
    if (finding !== undefined) return this.decide(finding);
    return this.loan?.grow(piece.length) === false && this.expire();
  }

  /** From now on what is held counts. @returns whether there is no room for it, so that it is chosen as far as it has come */
  borrow(budget: MemoryBudget, holder: Holder): boolean {
    this.loan = budget.lend(this.heldBytes, holder);
    return !this.loan && this.expire();
  }

  /** What is held does not count any more. */
  repay(): void {
    this.loan?.end();
    this.loan = undefined;
  }

  /** It has ended well. */
  end(): boolean {
    return this.gate !== undefined && this.decide(this.gate.end(this.pieces));
  }

  /** It has broken off. */
  break(): boolean {
    return this.gate !== undefined && this.decide(this.gate.break());
  }

  /** There is no time, or no room, to wait for more. */
  expire(): boolean {
    return this.gate !== undefined && this.decide(this.gate.expire());
  }

  takeAll(): readonly Buffer[] {
    const { pieces } = this;
    this.pieces = [];
    return pieces;
  }

  /** @returns `undefined` if it is not in one piece. */
  takeOnly(): Buffer | undefined {
    return this.pieces.length === 1 ? this.pieces.pop() : undefined;
  }

  /** Puts something else in its place. @returns its length in bytes, `undefined` where it stays as it is. */
  replace(replacement: (body: Buffer) => Buffer | undefined): number | undefined {
    const body = replacement(Buffer.concat(this.pieces));
    if (body) this.pieces = [body];
    return body?.length;
  }

  private decide(finding: Finding): boolean {
    this.gate = undefined;
    this.found = finding;
    this.repay();
    return true;
  }

  private join(): void {
    const run = this.pieces.splice(this.joined);
    this.joined = this.pieces.push(Buffer.concat(run));
  }
}
