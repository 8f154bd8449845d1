import { DOT, E, isDigit, MINUS, SMALL } from './bytes';

/** Which part of a number its next digit belongs to. */
const enum Part {
  Whole,
  Fraction,
  Exponent,
}

const MAX_EXPONENT: i32 = 100000000;

let part: Part = Part.Whole;
let isNegative: bool = false;
/** The digits in front of the exponent as one number, less the zeros at their end. */
let digits: f64 = 0;
let zeros: i32 = 0;
let decimals: i32 = 0;
let exponent: i32 = 0;
let isExponentNegative: bool = false;

export function beginNumber(): void {
  part = Part.Whole;
  isNegative = false;
  digits = 0;
  zeros = 0;
  decimals = 0;
  exponent = 0;
  isExponentNegative = false;
}

/** The next byte of a number, or the one behind it. */
export function addToNumber(byte: u8): void {
  if (isDigit(byte)) addDigit(byte & 15);
  else if (byte == DOT) part = Part.Fraction;
  else if ((byte | SMALL) == E) part = Part.Exponent;
  else if (byte == MINUS && part == Part.Exponent) isExponentNegative = true;
  else if (byte == MINUS) isNegative = true;
}

function addDigit(digit: i32): void {
  if (part == Part.Exponent) {
    exponent = min(exponent * 10 + digit, MAX_EXPONENT);
    return;
  }
  if (part == Part.Fraction) decimals += 1;
  zeros += 1;
  if (digit == 0) return;
  for (; zeros > 0; zeros -= 1) digits *= 10;
  digits += digit;
}

/** The number's value if that is a positive integer, however it is spelled, else 0; at most what 31 bits hold. */
export function positiveInteger(): i32 {
  let power = (isExponentNegative ? -exponent : exponent) + zeros - decimals;
  if (isNegative || power < 0) return 0;
  let value = digits;
  for (; power > 0 && value > 0 && value < <f64>i32.MAX_VALUE; power -= 1) value *= 10;
  return <i32>min(value, <f64>i32.MAX_VALUE);
}
