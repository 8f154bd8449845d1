import { readFileSync } from 'node:fs';

export interface Instruction {
  readonly name: string;
  /** Of `--from=build` and the like, without the dashes. */
  readonly flags: Readonly<Record<string, string>>;
  readonly text: string;
  /** The words of the text, if it is in JSON form (exec form) also those of its last part. */
  readonly words: readonly string[];
}

export interface Stage {
  readonly base: string;
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

const KNOWN = /^(?:ARG|FROM|WORKDIR|COPY|RUN|ENV|LABEL|USER|EXPOSE|HEALTHCHECK|ENTRYPOINT)$/;

/**
 * Reads the Dockerfile as strictly as it is written: what it need not know, it refuses.
 *
 * @param buildArgs take the place of the defaults before the first FROM
 */
export function readDockerfile(buildArgs: Readonly<Record<string, string>> = {}): Stage[] {
  const args: Record<string, string> = {};
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const instruction of instructionsOf(readFileSync('Dockerfile', 'utf8'))) {
    const stage = stages.at(-1);
    if (instruction.name === 'FROM') {
      const [base = '', , name = ''] = instruction.words;
      stages.push({ base: expand(base, args), name, instructions: [] });
    } else if (stage) {
      stage.instructions.push(instruction);
    } else {
      const [name = '', fallback = ''] = instruction.text.split('=', 2);
      args[name] = buildArgs[name] ?? fallback;
    }
  }
  return stages;
}

function instructionsOf(text: string): Instruction[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return lines.join('\n').replaceAll('\\\n', ' ').split('\n').map(instructionOf);
}

function instructionOf(line: string): Instruction {
  const [, name = '', flagText = '', text = ''] = /^(\S+) ((?:--\S+ +)*)(.*)$/.exec(line) ?? [];
  if (!KNOWN.test(name)) throw new Error(`The Dockerfile has an unknown instruction: ${line}`);
  const flags = flagText.matchAll(/--([a-z-]+)=(\S+)/g);
  return {
    name,
    flags: Object.fromEntries([...flags].map(([, flag, value]) => [flag, value])),
    text,
    words: wordsOf(text),
  };
}

function wordsOf(text: string): string[] {
  const [, before = '', list] = /^([^[]*)(\[.*\])$/.exec(text) ?? [];
  if (list === undefined) return text.split(/\s+/);
  return [...before.split(/\s+/).filter((word) => word !== ''), ...(JSON.parse(list) as string[])];
}

/** `${NAME}` and `${NAME:+instead}`, from the inside out. */
function expand(text: string, args: Readonly<Record<string, string>>): string {
  const expanded = text.replaceAll(/\$\{(\w+)(?::\+([^{}]*))?\}/g, (_, name: string, instead?: string) => {
    const value = args[name] ?? '';
    return instead === undefined || value === '' ? value : instead;
  });
  return expanded === text ? text : expand(expanded, args);
}

/** Whether `.dockerignore` keeps a file of the project from the build. The last rule that fits counts. */
export function isIgnored(path: string): boolean {
  const rules = readFileSync('.dockerignore', 'utf8').split('\n').filter(Boolean);
  const segments = path.split('/');
  const withParents = segments.map((_, i) => segments.slice(0, i + 1).join('/'));
  const last = rules.findLast((rule) => {
    const pattern = patternOf(rule.replace(/^!/, ''));
    return withParents.some((one) => pattern.test(one));
  });
  return last !== undefined && !last.startsWith('!');
}

function patternOf(glob: string): RegExp {
  const source = glob
    .split(/(\*\*\/|\*)/)
    .map((part) => ({ '**/': '(?:.*/)?', '*': '[^/]*' })[part] ?? RegExp.escape(part));
  return new RegExp(`^${source.join('')}$`);
}
