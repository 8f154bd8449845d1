import type { ModelId } from '../catalog/model-list.js';
import type { Pin } from './pin.js';

/** Longer values are not pins. Of a model's name no more than 256 bytes can be asked for. */
export const MAX_PIN_BYTES = 1_024;

const FORMAT = /^(0|[1-9]\d{0,14}) (.+)$/s;

/** `<Unix milliseconds from which on the pin does not apply, 0 for never> <model>` */
export function pinValue({ model, failbackAtMs = 0 }: Pin): string {
  return `${failbackAtMs} ${model}`;
}

/** @returns `undefined` for what {@link pinValue} has not written. */
export function readPinValue(value: unknown): Pin | undefined {
  if (typeof value !== 'string' || Buffer.byteLength(value) >= MAX_PIN_BYTES) return undefined;
  const [, failbackAtMs, model] = FORMAT.exec(value) ?? [];
  if (model === undefined) return undefined;
  const pin = { model: model as ModelId };
  return failbackAtMs === '0' ? pin : { ...pin, failbackAtMs: Number(failbackAtMs) };
}
