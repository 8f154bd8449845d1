import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { ModelId } from '../catalog/model-list.js';
import { MAX_PIN_BYTES, pinValue, readPinValue } from './pin-value.js';

const A = 'zai-org/GLM-5-TEE' as ModelId;

describe('pins as text', () => {
  test.each([
    [{ model: A }, '0 zai-org/GLM-5-TEE'],
    [{ model: A, failbackAtMs: 1_786_000_000_000 }, '1786000000000 zai-org/GLM-5-TEE'],
    [{ model: 'a model, 2\nlines of ü' as ModelId }, '0 a model, 2\nlines of ü'],
  ])('STK-26: %j', (pin, text) => {
    expect(pinValue(pin)).toBe(text);
    expect(readPinValue(text)).toEqual(pin);
  });

  test('STK-26: what was written is read as it was', () => {
    const pins = fc.record(
      {
        model: fc.string({ minLength: 1, unit: 'grapheme', maxLength: 64 }),
        failbackAtMs: fc.integer({ min: 1 }),
      },
      { requiredKeys: ['model'] },
    );
    fc.assert(
      fc.property(pins, (pin) => {
        expect(readPinValue(pinValue(pin as { model: ModelId }))).toEqual(pin);
      }),
    );
  });

  test.each([
    ['nothing', ''],
    ['a model alone', 'zai-org/GLM-5-TEE'],
    ['a moment alone', '1786000000000 '],
    ['JSON', '{"model":"zai-org/GLM-5-TEE"}'],
    ['a moment that is no number', 'x zai-org/GLM-5-TEE'],
    ['a negative moment', '-1 zai-org/GLM-5-TEE'],
    ['a broken moment', '1.5 zai-org/GLM-5-TEE'],
    ['a moment with leading zeros', '00 zai-org/GLM-5-TEE'],
    ['a moment that no number holds', `${'9'.repeat(16)} zai-org/GLM-5-TEE`],
    ['a value that is too long', `0 ${'x'.repeat(MAX_PIN_BYTES)}`],
    ['bytes that are too many', `0 ${'ü'.repeat(MAX_PIN_BYTES / 2)}`],
    ['a number', 1],
    ['no value', null],
    ['a list', ['0 zai-org/GLM-5-TEE']],
  ])('STK-26: %s is no pin', (_, value) => {
    expect(readPinValue(value)).toBeUndefined();
  });
});
