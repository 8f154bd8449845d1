import { ValidateBy, type ValidationArguments } from 'class-validator';
import { type AliasPolicy, readPolicy } from './alias-policy.js';
import { repeatedKeys } from './repeated-keys.js';
import { splitList } from './validators.js';

const MAX_NAME_BYTES = 256;

/** By alias, in the order in which they are written. */
export type Aliases = ReadonlyMap<string, AliasPolicy>;

/**
 * Reads `AUTOPILOT_ALIASES`: names with commas between them, or a JSON object from name to policy.
 *
 * @returns the aliases without a problem, and every problem in words.
 */
export function readAliases(text: string): { aliases: Aliases; problems: readonly string[] } {
  const json = parsed(text);
  if (json === undefined && !text.startsWith('{')) return read(splitList(text).map((name) => [name, {}]));
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return { aliases: new Map(), problems: ['must be a comma-separated list of names, or a JSON object'] };
  }
  const { aliases, problems } = read(Object.entries(json));
  const repeated = [...new Set(repeatedKeys(text))];
  return {
    aliases,
    problems: [...problems, ...repeated.map((key) => `${JSON.stringify(shortened(key))} stands twice`)],
  };
}

/** A list of names is no JSON, unless someone wrote it as such. */
function parsed(text: string): unknown {
  try {
    return /^[[{"]/.test(text) ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}

/** For a variable of the environment: every problem, each on a line of its own. */
export function AreAliases(): PropertyDecorator {
  return ValidateBy({
    name: 'areAliases',
    validator: {
      validate: (value) => readAliases(String(value)).problems.length === 0,
      defaultMessage: ({ property, value }: ValidationArguments) =>
        readAliases(String(value))
          .problems.map((problem) => `${property}: ${problem}`)
          .join('\n- '),
    },
  });
}

function read(entries: readonly (readonly [string, unknown])[]): ReturnType<typeof readAliases> {
  const aliases = new Map<string, AliasPolicy>();
  const problems: string[] = [];
  for (const [name, value] of entries) {
    const policy = readPolicy(value);
    const its = [...nameProblems(name), ...(Array.isArray(policy) ? (policy as readonly string[]) : [])];
    problems.push(...its.map((problem) => `${JSON.stringify(shortened(name))}: ${problem}`));
    if (its.length === 0) aliases.set(name, policy as AliasPolicy);
  }
  return { aliases, problems };
}

function nameProblems(name: string): readonly string[] {
  if (name === '') return ['a name must not be empty'];
  if (name.includes(',')) return ['a name must not have a comma'];
  if (!name.isWellFormed()) return ['a name must not have half a surrogate pair'];
  return Buffer.byteLength(name) > MAX_NAME_BYTES ? [`a name has at most ${MAX_NAME_BYTES} bytes`] : [];
}

function shortened(name: string): string {
  return name.length > 60 ? `${name.slice(0, 60)}…` : name;
}
