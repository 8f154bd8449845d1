import { type Entry, Roster } from './roster.js';

/** Whoever holds memory that somebody else may need more. */
export interface Holder {
  /** To end its loan at once. */
  giveWay(): void;
}

/** A limit for the memory that many take together, in bytes. */
export class MemoryBudget {
  private taken = 0;
  private readonly loans = new Roster<Loan>();

  constructor(private readonly limit: number) {}

  get isOverdrawn(): boolean {
    return this.taken > this.limit;
  }

  /** Whether there is room or not. */
  take(bytes: number): void {
    this.taken += bytes;
  }

  giveBack(bytes: number): void {
    this.taken -= bytes;
  }

  /** Has as many loans end as it takes. @returns whether so much more can be taken now. */
  makeRoom(bytes: number): boolean {
    if (this.hasRoom(bytes) || this.loans.size === 0) return this.hasRoom(bytes);
    for (const loan of this.loans) {
      loan.holder.giveWay();
      if (this.hasRoom(bytes)) return true;
    }
    return false;
  }

  /** For what can be done without. @returns `undefined` where there is no room. */
  lend(bytes: number, holder: Holder): Loan | undefined {
    return this.hasRoom(bytes) ? new Loan(this, this.loans, bytes, holder) : undefined;
  }

  /** @internal */
  hasRoom(bytes: number): boolean {
    return this.taken + bytes <= this.limit;
  }
}

/** Memory that is taken until somebody else needs it. */
export class Loan {
  private readonly entry: Entry<Loan>;

  /** @internal */
  constructor(
    private readonly budget: MemoryBudget,
    private readonly loans: Roster<Loan>,
    private bytes: number,
    readonly holder: Holder,
  ) {
    this.entry = loans.add(this);
    budget.take(bytes);
  }

  /** @returns whether there is room. */
  grow(bytes: number): boolean {
    if (!this.budget.hasRoom(bytes)) return false;
    this.budget.take(bytes);
    this.bytes += bytes;
    return true;
  }

  /** May be called more than once. */
  end(): void {
    this.loans.remove(this.entry);
    this.budget.giveBack(this.bytes);
    this.bytes = 0;
  }
}
