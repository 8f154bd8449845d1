type Schema = Readonly<Record<string, unknown>>;

/** Texts for the formats that the helpers of clients write. */
const TEXT_OF_FORMAT: Readonly<Record<string, string>> = {
  'date-time': '2026-01-01T12:00:00Z',
  date: '2026-01-01',
  time: '12:00:00Z',
  duration: 'PT1H',
  email: 'simulated@example.com',
  uri: 'https://example.com/',
  uuid: '00000000-0000-4000-8000-000000000000',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
};

/** Texts that have to be longer do not fit. */
const MAX_CHARACTERS = 100_000;

/** What a pattern may have been written for. */
const TEXTS_TO_TRY = ['a', 'A', '1', 'abc', 'ABC', 'abc-1', '123', '12345', '+491234567', '12:00', '1.0.0'];

/**
 * A number that fits the schema's bounds.
 *
 * @param step what it is to be a multiple of, unless the schema says so itself
 * @param place tells it from others in the same array
 */
export function numberFor(schema: Schema, step: number | undefined, place: number): number {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const low = Math.max(boundOf(minimum, -Infinity), boundOf(exclusiveMinimum, -Infinity));
  const high = Math.min(boundOf(maximum, Infinity), boundOf(exclusiveMaximum, Infinity));
  const unit = typeof multipleOf === 'number' && multipleOf > 0 ? multipleOf : step;
  if (unit !== undefined) {
    const from = Number.isFinite(low) ? low : Math.min(1, high - unit);
    const first = Math.ceil(from / unit) * unit;
    const least = first === exclusiveMinimum ? first + unit : first;
    const last = boundOf(exclusiveMaximum, Infinity) === high ? high - unit / 2 : high;
    const choices = Math.max(1, Math.floor((last - least) / unit) + 1);
    return least + (place % choices) * unit;
  }
  if (Number.isFinite(low) && Number.isFinite(high)) return low + (high - low) / (place + 2);
  if (Number.isFinite(low)) return low + 1 + place;
  return Number.isFinite(high) ? high - 1 - place : 1.5 + place;
}

/**
 * A text that fits the schema's format, lengths and, if one of a few texts does, pattern.
 *
 * @param name what it is about
 * @param place tells it from others in the same array
 */
export function textFor(schema: Schema, name: string, place: number): string {
  const { format, pattern, minLength, maxLength } = schema;
  const least = Math.min(boundOf(minLength, 0), MAX_CHARACTERS);
  const most = boundOf(maxLength, Infinity);
  const words = `simulated ${name}${place > 0 ? ` ${place + 1}` : ''}`;
  const usual = words.padEnd(least, ` ${words}`).slice(0, Math.max(least, Math.min(most, words.length)));
  const texts = [TEXT_OF_FORMAT[String(format)] ?? usual, ...Object.values(TEXT_OF_FORMAT), ...TEXTS_TO_TRY];
  if (typeof pattern !== 'string') return texts[0] ?? usual;
  const isLongEnough = (text: string) => text.length >= least && text.length <= most;
  return texts.find((text) => isLongEnough(text) && matches(text, pattern)) ?? usual;
}

function matches(text: string, pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(text);
  } catch {
    return true;
  }
}

function boundOf(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}
