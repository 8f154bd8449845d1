import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { parse } from 'yaml';

/** `AUTOPILOT_ALIASES` as the README shows it. */
export function readmeAliases(): string {
  const [, json] = /AUTOPILOT_ALIASES[^\n]*\n\n```json\n([^`]+)```/.exec(read('README.md')) ?? [];
  if (json === undefined) throw new Error('The README shows no aliases.');
  return json;
}

/** The same as others show it, each in its own way, with what stands before it taken away. */
export const OTHER_EXAMPLES: Readonly<Record<string, () => string | object | undefined>> = {
  '.env.example': () =>
    parseEnv(read('.env.example').replace('# AUTOPILOT_', 'AUTOPILOT_'))['AUTOPILOT_ALIASES'],
  'docker-compose.yaml': () => {
    const file = parse(uncommented('docker-compose.yaml')) as {
      services: { router: { environment: Record<string, string> } };
    };
    return file.services.router.environment['AUTOPILOT_ALIASES'];
  },
  'values.yaml': () => valuesWithAliases().config.AUTOPILOT_ALIASES,
};

/** The values of the chart with the aliases that they show. */
export function valuesWithAliases(): { readonly config: { readonly AUTOPILOT_ALIASES: object } } {
  return parse(uncommented('deploy/helm/chutes-autopilot/values.yaml')) as ReturnType<
    typeof valuesWithAliases
  >;
}

function read(path: string): string {
  return readFileSync(path, 'utf8');
}

/** A YAML file with the aliases in force: the line that names them, and what stands under it. */
function uncommented(path: string): string {
  return read(path).replace(
    /^( *)# (AUTOPILOT_ALIASES:.*\n)((?:\1# {3}.*\n)+)/m,
    (_, indent: string, first, more) => {
      const lines = String(more).replaceAll(new RegExp(`^${indent}# `, 'gm'), indent);
      return indent + String(first) + lines;
    },
  );
}
