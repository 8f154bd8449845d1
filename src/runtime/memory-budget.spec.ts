import { describe, expect, test } from '@jest/globals';
import { type Loan, MemoryBudget } from './memory-budget.js';

class Borrower {
  loan: Loan | undefined;
  constructor(budget: MemoryBudget, bytes: number) {
    this.loan = budget.lend(bytes, this);
  }
  giveWay(): void {
    this.loan?.end();
    this.loan = undefined;
  }
}

describe('a budget of 100 bytes', () => {
  test('ATT-71: lends what there is, and no more', () => {
    const budget = new MemoryBudget(100);
    budget.take(40);
    const first = new Borrower(budget, 50);
    expect([first.loan?.grow(10), first.loan?.grow(1)]).toEqual([true, false]);
    expect(new Borrower(budget, 1).loan).toBeUndefined();
    budget.giveBack(40);
    expect(first.loan?.grow(40)).toBe(true);
    expect(budget.isOverdrawn).toBe(false);
  });

  test('CFG-65: has loans end where room is needed, as many as it takes', () => {
    const budget = new MemoryBudget(100);
    const borrowers = [new Borrower(budget, 30), new Borrower(budget, 30), new Borrower(budget, 30)];
    expect(budget.makeRoom(40)).toBe(true);
    budget.take(40);
    expect(borrowers.filter(({ loan }) => loan)).toHaveLength(2);
    expect(budget.makeRoom(70)).toBe(false);
    expect(borrowers.filter(({ loan }) => loan)).toHaveLength(0);
    expect(budget.makeRoom(60)).toBe(true);
  });

  test('CFG-65: may be overdrawn by what is there already', () => {
    const budget = new MemoryBudget(100);
    const borrower = new Borrower(budget, 30);
    budget.take(90);
    expect([budget.isOverdrawn, budget.makeRoom(0), budget.isOverdrawn]).toEqual([true, true, false]);
    expect(borrower.loan).toBeUndefined();
  });

  test('CFG-65: gets back what was lent once, however often it is given back', () => {
    const budget = new MemoryBudget(100);
    const { loan } = new Borrower(budget, 100);
    loan?.end();
    loan?.end();
    expect([budget.makeRoom(100), budget.makeRoom(101)]).toEqual([true, false]);
  });
});
