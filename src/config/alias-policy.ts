import {
  ArrayNotEmpty,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsNumber,
  IsPositive,
  IsString,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
  validateSync,
  type ValidationError,
} from 'class-validator';

/** The orders that an alias can have. `listed`: that of its patterns. */
export const SORTS = ['capacity', 'latency', 'throughput', 'price', 'listed'] as const;

export type Sort = (typeof SORTS)[number];

const MAX_TOKENS = 2 ** 31 - 1;

/** USD per million tokens. */
export class MaxPrice {
  @IfGiven() @IsNumber() @Min(0) prompt?: number;
  @IfGiven() @IsNumber() @Min(0) completion?: number;
}

/** What an alias stands for: which models, and in which order. Spelled as operators write it. */
export class AliasPolicy {
  /** Patterns for catalog ids: `*` stands for any characters; one with `!` in front takes away what those before it gave. */
  @IsArray()
  @ArrayNotEmpty()
  @IsString({ each: true })
  @Matches(/^!?[^!]/, { each: true, message: 'each value in models must be a pattern' })
  @GivesSomething()
  models: readonly string[] = ['*'];

  @IsIn(SORTS) sort: Sort = 'capacity';
  /** Whether each client has an order of its own, in proportion to free capacity. Changes `capacity` only. */
  @IsBoolean() spread = false;
  /** Whether every request needs a trusted execution environment. */
  @IsBoolean() tee = false;
  /** Which of `supported_features` every request needs. */
  @IsArray() @IsString({ each: true }) @IsNotEmpty({ each: true }) features: readonly string[] = [];
  @IsInt() @Min(0) @Max(MAX_TOKENS) min_context_tokens = 0;

  /** A wish: seconds to the first token. */
  @IfGiven() @IsNumber() @IsPositive() max_ttft_s?: number;
  /** A wish: tokens per second. */
  @IfGiven() @IsNumber() @IsPositive() min_tps?: number;
  /** A model whose price is unknown or above is left out. */
  @IsPrice() max_price?: MaxPrice;
}

/**
 * Reads an alias's policy.
 *
 * @returns its problems in words instead, where it has some.
 */
export function readPolicy(value: unknown): AliasPolicy | readonly string[] {
  if (!isPlainObject(value)) return ['must be an object such as {} or {"models":["Qwen/*"]}'];
  const policy = Object.assign(new AliasPolicy(), value);
  const problems = problemsOf(policy);
  return problems.length > 0 ? problems : policy;
}

function problemsOf(object: object): readonly string[] {
  return validateSync(object, { whitelist: true, forbidNonWhitelisted: true }).flatMap(messages);
}

function messages({ constraints, property }: ValidationError): readonly string[] {
  return Object.entries(constraints ?? {}).map(([kind, message]) =>
    kind === 'whitelistValidation' ? `there is no field ${JSON.stringify(property)}` : message,
  );
}

/** `null` is given, and wrong. */
function IfGiven(): PropertyDecorator {
  return ValidateIf((_, value) => value !== undefined);
}

function GivesSomething(): PropertyDecorator {
  return ValidateBy({
    name: 'givesSomething',
    validator: {
      validate: (patterns) => !Array.isArray(patterns) || leaveSomething(patterns.map(String)),
      defaultMessage: () =>
        'models must have a pattern without ! that none after it takes away, or nothing is left to choose from',
    },
  });
}

/** Whatever the catalog has: patterns that could leave something there are not held against each other. */
function leaveSomething(patterns: readonly string[]): boolean {
  return patterns.some(
    (pattern, place) =>
      !pattern.startsWith('!') &&
      !patterns.slice(place).some((later) => later === `!${pattern}` || /^!\*+$/.test(later)),
  );
}

function IsPrice(): PropertyDecorator {
  return ValidateBy({
    name: 'isPrice',
    validator: {
      validate: (value) => value === undefined || (isPlainObject(value) && priceProblems(value).length === 0),
      defaultMessage: () =>
        'max_price must be an object with prompt, completion or both, each a number of USD per million tokens',
    },
  });
}

function priceProblems(value: object): readonly string[] {
  if (Object.keys(value).length === 0) return ['is empty'];
  return problemsOf(Object.assign(new MaxPrice(), value));
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
